"""A database of its own, for tests that look at a whole ledger or change what nobody may change."""

import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import asyncpg
import msgspec

from common.database import Transaction
from fleet import services
from fleet.stores import postgres
from fleet.testing import Running

_ROLES = "postgres-roles"
_HERE = "SET search_path = auth_audit"


class Apart(msgspec.Struct, frozen=True):
    """Where it is, for the service and for a superuser."""

    database_url: str
    admin_url: str

    @asynccontextmanager
    async def altered(self, *statements: str) -> AsyncGenerator[Transaction]:
        """Show the database as it would be after a superuser's statements; it stays as it is."""
        connection = await asyncpg.connect(self.admin_url)
        try:
            pending = connection.transaction()
            await pending.start()
            await connection.execute(_HERE)
            for statement in statements:
                await connection.execute(statement)
            yield Transaction(connection)
            await pending.rollback()
        finally:
            await connection.close()

    async def run(self, *statements: str) -> None:
        """Do, as a superuser, what nobody else may."""
        connection = await asyncpg.connect(self.admin_url)
        try:
            for statement in (_HERE, *statements):
                await connection.execute(statement)
        finally:
            await connection.close()


def made(stores: Running, name: str) -> Apart:
    """Make a database as the fleet's own is made: roles and rights first, then the schema."""
    context = stores.context
    roles = next(p for p in postgres.processes(context) if p.name == _ROLES)
    database_url = postgres.url(context, "auth", database=name)
    migration = services.migration(context, "auth")
    steps = (
        (roles.command, roles.environment | {"POSTGRES_DATABASE": name}),
        # once more: whatever is there already stays
        (roles.command, roles.environment | {"POSTGRES_DATABASE": name}),
        (migration.command, migration.environment | {"DATABASE_URL": database_url}),
    )
    for command, environment in steps:
        subprocess.run(  # noqa: S603 - the fleet's own commands
            command, env=environment, cwd=context.home.repository, check=True
        )
    return Apart(database_url, postgres.url(context, postgres.USER, database=name))
