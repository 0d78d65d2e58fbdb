"""What an operator does: ``python -m auth --help`` lists it. It needs the service's settings."""

import argparse
import asyncio
import sys

from auth.admin import command as admin
from auth.audit import command as audit
from auth.imports import command as imports
from auth.keys import command as keys
from auth.operation import Desk, Operation
from auth.providers import command as providers
from auth.resealing import command as resealing
from auth.secrets import Vault
from auth.settings import Settings
from auth.sweeping import command as sweeping
from common.database import Database
from common.errors import ServiceError
from common.settings import SettingsError, load

# each adds its own commands
PARTS = (admin, audit, imports, keys, providers, resealing, sweeping)


def main() -> int:
    """Do what the arguments say; the answer is the exit code."""
    parser = argparse.ArgumentParser(prog="python -m auth", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    for part in PARTS:
        part.offer(commands)
    given = parser.parse_args()
    operation: Operation = given.operation
    try:
        return asyncio.run(_operate(operation, given))
    except (ServiceError, SettingsError) as exc:
        sys.stderr.write(f"{exc}\n")
        return 1


async def _operate(operation: Operation, given: argparse.Namespace) -> int:
    settings = load(Settings)
    vault = Vault(settings.key_encryption_key, settings.key_encryption_keys_other)
    db = await Database.connect(
        settings.database_url,
        pool_size=2,
        wait_s=settings.pool_wait_s,
        statement_s_max=settings.statement_s_max,
    )
    try:
        return await operation(Desk(settings, db, vault), given)
    finally:
        await db.close()


if __name__ == "__main__":
    sys.exit(main())
