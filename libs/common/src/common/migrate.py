"""Alembic without alembic.ini: each service's schema has one history, and goes forward only.

``python -m common.migrate upgrade projects``, or ``check projects``.
"""

import asyncio
import importlib
import sys
from pathlib import Path

import sqlalchemy as sa
from alembic import command, context
from alembic.config import Config
from sqlalchemy import Connection, MetaData
from sqlalchemy.ext.asyncio import create_async_engine

from common.settings import Settings, load

_LOCK_TIMEOUT = "4s"
_STATEMENT_TIMEOUT = "5s"


class _DatabaseOnly(Settings, frozen=True, kw_only=True):
    fleet_secret: str = ""
    nats_url: str = ""


def run(metadata: MetaData) -> None:
    """Run the migrations; a service's ``env.py`` calls this with its tables."""
    asyncio.run(_online(metadata))


async def _online(metadata: MetaData) -> None:
    url = load(_DatabaseOnly).database_url.replace("postgresql://", "postgresql+asyncpg://", 1)
    engine = create_async_engine(url, poolclass=sa.NullPool)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_migrate, metadata)
            await connection.commit()
    finally:
        await engine.dispose()


def _migrate(connection: Connection, metadata: MetaData) -> None:
    connection.execute(sa.text(f"SET lock_timeout = '{_LOCK_TIMEOUT}'"))
    connection.execute(sa.text(f"SET statement_timeout = '{_STATEMENT_TIMEOUT}'"))
    connection.execute(
        sa.text("SELECT pg_advisory_lock(hashtextextended(current_schema() || '.migrate', 0))")
    )
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=metadata,
        transaction_per_migration=True,
        compare_server_default=False,
    )
    with context.begin_transaction():
        context.run_migrations()


def config(service: str) -> Config:
    """Alembic's configuration for one service's package."""
    package = importlib.import_module(service)
    folder = Path(str(package.__file__)).parent / "migrations"
    made = Config()
    made.set_main_option("script_location", str(folder))
    made.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    return made


def upgrade(service: str) -> None:
    """Bring the service's schema up to date."""
    command.upgrade(config(service), "head")


def check(service: str) -> None:
    """Fail where the tables and the migrations disagree."""
    command.check(config(service))


def main() -> None:
    """Do what the arguments say."""
    match sys.argv[1:]:
        case ["upgrade", *services]:
            for service in services:
                upgrade(service)
        case ["check", service]:
            check(service)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
