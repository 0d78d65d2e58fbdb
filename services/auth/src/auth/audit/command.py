"""The operator's command about the audit."""

import argparse
import sys

from auth.audit import service
from auth.operation import Commands, Desk


def offer(commands: Commands) -> None:
    """Add the command."""
    verify = commands.add_parser("verify-audit", help="verify that no entry was changed or removed")
    verify.add_argument(
        "--from", dest="first", type=int, default=1, metavar="N", help="begin with entry N"
    )
    verify.add_argument(
        "--head",
        type=bytes.fromhex,
        metavar="HASH",
        help="a head that was told before: it must be in the chain, or the end of it was cut off",
    )
    verify.set_defaults(operation=show)


async def show(desk: Desk, given: argparse.Namespace) -> int:
    """Say how many entries are as they were and the last one's hash, or what is wrong."""
    found = await service.verify(desk.db, desk.settings.audit_verify_batch, given.first, given.head)
    told = f"{found.entries} entries, head {found.head.hash.hex()}"
    if found.fault is not None:
        sys.stderr.write(f"{found.fault}; before it {told}\n")
        return 1
    sys.stdout.write(f"{told}\n")
    return 0
