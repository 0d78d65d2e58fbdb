"""The operator's command that takes over accounts from elsewhere."""

import argparse
import sys
from pathlib import Path
from typing import BinaryIO

from auth.imports import service
from auth.imports.schema import Fault
from auth.operation import Commands, Desk
from common.errors import InvalidError


def offer(commands: Commands) -> None:
    """Add the command."""
    importing = commands.add_parser(
        "import-accounts",
        help="make accounts of a file's lines",
        description="Each line is a JSON object: email, username, passwordHash (argon2id or "
        "bcrypt); displayName, emailVerified, createdAt where they are known. All of them become "
        "accounts, or none.",
    )
    importing.add_argument("file", help="- reads them here")
    importing.add_argument(
        "--skip-faulty", action="store_true", help="take the others where some are at fault"
    )
    importing.set_defaults(operation=run)


async def run(desk: Desk, given: argparse.Namespace) -> int:
    """Import a file, say what is wrong with it, and how much of it became accounts."""
    with _opened(given.file) as lines:
        done = await service.run(
            desk.db, desk.settings, lines, _report, skip_faulty=given.skip_faulty
        )
    sys.stdout.write(f"{done.accounts} accounts imported, {done.faulty} lines at fault\n")
    return 1 if done.faulty and not given.skip_faulty else 0


def _opened(file: str) -> BinaryIO:
    if file == "-":
        return sys.stdin.buffer
    try:
        return Path(file).open("rb")
    except OSError as exc:
        raise InvalidError(f"The file cannot be read: {exc}") from exc


def _report(fault: Fault) -> None:
    sys.stderr.write(f"{fault}\n")
