"""The database, and a role and a schema for each service."""

import asyncpg
import msgspec

from common.settings import load
from fleet.home import repository


class PostgresSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The superuser's address of any database, and each role's password."""

    postgres_admin_url: str
    postgres_database: str = "worldloom"
    auth_password: str
    projects_password: str
    assets_password: str
    builds_password: str
    collab_password: str
    registry_password: str


async def prepare() -> None:
    """Make the database, then run roles.sql in it."""
    settings = load(PostgresSettings)
    await _make_database(settings.postgres_admin_url, settings.postgres_database)
    connection = await asyncpg.connect(
        settings.postgres_admin_url, database=settings.postgres_database
    )
    try:
        for name, value in msgspec.structs.asdict(settings).items():
            if name.endswith("_password"):
                # as a parameter, so that no password stands in a statement that is logged
                await connection.execute(
                    "SELECT set_config($1, $2, false)", f"worldloom.{name}", value
                )
        roles = repository() / "deploy" / "postgres" / "roles.sql"
        await connection.execute(roles.read_text(encoding="utf-8"))
    finally:
        await connection.close()


async def _make_database(url: str, name: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", name):
            await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close()
