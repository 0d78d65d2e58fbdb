"""The operator's command that sweeps at once."""

import argparse
import sys

from auth.operation import Commands, Desk
from auth.sweeping import service


def offer(commands: Commands) -> None:
    """Add the command."""
    swept = commands.add_parser("sweep", help="delete what is over now, not at the next turn")
    swept.set_defaults(operation=sweep)


async def sweep(desk: Desk, given: argparse.Namespace) -> int:
    """Delete what is over, and say how much it was."""
    del given
    for table, rows in (await service.sweep(desk.db, desk.settings)).items():
        sys.stdout.write(f"{table}: {rows}\n")
    return 0
