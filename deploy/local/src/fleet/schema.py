"""Bring one service's schema up to date: ``python -m fleet.schema projects``.

Most starts find it so, and that is seen without the migrations' own heavy tools.
"""

import asyncio
import importlib.util
import sys
from pathlib import Path

import asyncpg
import msgspec

from common.settings import load


class SchemaSettings(msgspec.Struct, frozen=True):
    """The database, with the service's own role."""

    database_url: str


def main() -> None:
    """Migrate the schema of the service that the argument names, where it is behind."""
    (service,) = sys.argv[1:]
    recorded = asyncio.run(_recorded(load(SchemaSettings).database_url))
    if recorded != newest(service):
        from common import migrate  # noqa: PLC0415 - a second of imports, which most starts spare

        migrate.upgrade(service)


def newest(service: str) -> str:
    """Return the number of the newest migration that the service's package brings."""
    spec = importlib.util.find_spec(service)
    if spec is None or spec.origin is None:
        sys.exit(f"There is no service {service!r}.")
    versions = Path(spec.origin).parent / "migrations" / "versions"
    numbers = [path.stem.partition("_")[0] for path in versions.glob("[0-9]*.py")]
    return max(numbers, default="")


async def _recorded(url: str) -> str:
    connection = await asyncpg.connect(url)
    try:
        return str(await connection.fetchval("SELECT max(version_num) FROM alembic_version"))
    except asyncpg.UndefinedTableError:
        return ""
    finally:
        await connection.close()


if __name__ == "__main__":
    main()
