"""What the benchmark does to databases itself, as their administrator."""

import asyncio
import time
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

import asyncpg

from benchmarks.harness.contender import Contender

_DRAINED_WITHIN_S = 60.0
_SETTLED_WITHIN_S = 10.0
_LOOK_EVERY_S = 0.1
_STILL_FOR_S = 0.3


def execute(url: str, *statements: str) -> None:
    """Run statements one after the other."""

    async def work(connection: asyncpg.Connection) -> None:
        for statement in statements:
            await connection.execute(statement)

    _with(url, work)


def fill(
    url: str, schema: str, tables: Mapping[str, tuple[Sequence[str], list[tuple[Any, ...]]]]
) -> None:
    """Copy rows into tables, in the order given."""

    async def work(connection: asyncpg.Connection) -> None:
        for table, (columns, rows) in tables.items():
            await connection.copy_records_to_table(
                table, schema_name=schema, columns=columns, records=rows
            )

    _with(url, work)


def tidy(contender: Contender) -> None:
    """Forget the events so far, and the dead rows that writing left; know the tables' sizes."""
    execute(contender.database_url, f"TRUNCATE {contender.outbox}", "VACUUM ANALYZE")


def announced(contender: Contender) -> int:
    """Count the events in the outbox."""
    return _count(contender.database_url, f"SELECT count(*) FROM {contender.outbox}")  # noqa: S608 - a table of ours


def settled(contender: Contender) -> int:
    """Wait until what was in flight at the end of a run is written, and count the events."""
    give_up_at = time.monotonic() + _SETTLED_WITHIN_S
    before, now = -1, announced(contender)
    while now != before:
        if time.monotonic() > give_up_at:
            raise TimeoutError(f"{contender.name} does not stop writing")
        time.sleep(_STILL_FOR_S)
        before, now = now, announced(contender)
    return now


def drained(contender: Contender) -> None:
    """Wait until every event is published."""
    waiting = f"SELECT count(*) FROM {contender.outbox} WHERE published_at IS NULL"  # noqa: S608 - a table of ours
    give_up_at = time.monotonic() + _DRAINED_WITHIN_S
    while _count(contender.database_url, waiting):
        if time.monotonic() > give_up_at:
            raise TimeoutError(f"{contender.name} does not publish its events")
        time.sleep(_LOOK_EVERY_S)


def _count(url: str, query: str) -> int:
    found: list[int] = []

    async def work(connection: asyncpg.Connection) -> None:
        found.append(int(await connection.fetchval(query)))

    _with(url, work)
    return found[0]


def _with(url: str, work: Any) -> None:  # noqa: ANN401 - asyncpg is untyped
    async def connected() -> None:
        connection = await asyncpg.connect(url)
        try:
            await work(connection)
        finally:
            await connection.close()

    run: Coroutine[Any, Any, None] = connected()
    asyncio.run(run)
