"""The operator's command that makes an administrator."""

import argparse
import sys

from auth.admin import service
from auth.operation import Commands, Desk


def offer(commands: Commands) -> None:
    """Add the command."""
    appointing = commands.add_parser("set-role", help="let an account be an administrator, or not")
    appointing.add_argument("login", help="its e-mail, its username or its id")
    appointing.add_argument("role", choices=("user", "admin"))
    appointing.set_defaults(operation=appoint)


async def appoint(desk: Desk, given: argparse.Namespace) -> int:
    """Give an account a role, and say what it had."""
    before = await service.appoint(desk.db, given.login, given.role)
    sys.stdout.write(f"{given.login} is {given.role}; before: {before}\n")
    return 0
