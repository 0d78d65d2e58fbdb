"""The operator's command that follows a new KEY_ENCRYPTION_KEY."""

import argparse
import sys

from auth.operation import Commands, Desk
from auth.resealing import service


def offer(commands: Commands) -> None:
    """Add the command."""
    resealing = commands.add_parser(
        "reseal", help="seal everything with KEY_ENCRYPTION_KEY that another key had sealed"
    )
    resealing.set_defaults(operation=reseal)


async def reseal(desk: Desk, given: argparse.Namespace) -> int:
    """Say of each table how much was sealed anew; 1 where something cannot be opened."""
    del given
    found = await service.reseal(desk.db, desk.vault, desk.settings.sweep_rows_max)
    for table in found:
        sys.stdout.write(
            f"{table.table}: {table.resealed} resealed, "
            f"{table.current} sealed with the newest key before\n"
        )
        for key in table.lost:
            sys.stderr.write(f"{table.table} {key}: no key opens it\n")
    return 1 if any(table.lost for table in found) else 0
