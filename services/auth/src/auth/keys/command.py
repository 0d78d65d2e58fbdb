"""The operator's commands about keys."""

import argparse
import sys

from auth.keys import repository
from auth.operation import Commands, Desk


def offer(commands: Commands) -> None:
    """Add the commands."""
    listed = commands.add_parser("signing-keys", help="list the keys that sign access tokens")
    listed.set_defaults(operation=show)


async def show(desk: Desk, given: argparse.Namespace) -> int:
    """List the signing keys, the newest first."""
    del given
    for key in await repository.every(desk.db):
        sys.stdout.write(f"{key.kid}  {key.created_at:%Y-%m-%dT%H:%M:%SZ}\n")
    return 0
