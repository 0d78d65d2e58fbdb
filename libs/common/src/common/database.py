"""A database handle whose reads name the struct they fill.

The type checker then sees that columns and fields agree, in number, order and type.
"""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any, cast, override

import asyncpg
import sqlalchemy as sa
from sqlalchemy import ClauseElement
from sqlalchemy.sql.selectable import TypedReturnsRows

from common import exchange
from common.sharing import Shared, Sharing
from common.statements import compiled


class Queries(ABC):
    """What may be asked of the database, inside a transaction or outside of one."""

    @abstractmethod
    async def _rows(
        self, statement: ClauseElement, params: dict[str, object], limit: int
    ) -> list[tuple[Any, ...]]:
        """Run ``statement``; return its rows, at most ``limit`` of them unless it is 0."""

    async def one_or_none[*Ts, T](
        self, statement: TypedReturnsRows[*Ts], into: Callable[[*Ts], T], **params: object
    ) -> T | None:
        """Run ``statement``; its first row, if there is one, becomes ``into``."""
        rows = await self._rows(statement, params, 1)
        return into(*cast("tuple[*Ts]", rows[0])) if rows else None

    async def one[*Ts, T](
        self, statement: TypedReturnsRows[*Ts], into: Callable[[*Ts], T], **params: object
    ) -> T:
        """Run ``statement``, whose row is certain."""
        rows = await self._rows(statement, params, 1)
        return into(*cast("tuple[*Ts]", rows[0]))

    async def all[*Ts, T](
        self, statement: TypedReturnsRows[*Ts], into: Callable[[*Ts], T], **params: object
    ) -> list[T]:
        """Run ``statement``; every row becomes ``into``."""
        rows = await self._rows(statement, params, 0)
        return [into(*cast("tuple[*Ts]", row)) for row in rows]

    async def run(self, statement: ClauseElement, **params: object) -> None:
        """Run ``statement`` for its effect."""
        await self._rows(statement, params, 0)


class Transaction(Queries):
    """Several statements, all or none."""

    def __init__(self, connection: asyncpg.pool.PoolConnectionProxy) -> None:
        self._connection = connection

    @override
    async def _rows(
        self, statement: ClauseElement, params: dict[str, object], limit: int
    ) -> list[tuple[Any, ...]]:
        ready = compiled(statement)
        records = await self._connection.fetch(ready.text, *ready.values(params))
        return [ready.row(r) for r in (records[:limit] if limit else records)]


class Joined(Transaction):
    """One transaction around everything that one request asks: each part fails alone, all commit.

    Its parts run one at a time, because they have one connection.
    """

    def __init__(self, database: "Database", connection: asyncpg.pool.PoolConnectionProxy) -> None:
        super().__init__(connection)
        self._turn = asyncio.Lock()
        self.database = database
        self.is_over = False

    @override
    async def _rows(
        self, statement: ClauseElement, params: dict[str, object], limit: int
    ) -> list[tuple[Any, ...]]:
        async with self._turn, self._connection.transaction():
            return await super()._rows(statement, params, limit)

    async def shared(self, sharing: Sharing, params: dict[str, object]) -> tuple[Any, ...] | None:
        """Ask alone what others ask in company."""
        async with self._turn, self._connection.transaction():
            return await sharing.ask_alone(self._connection, params)

    @asynccontextmanager
    async def part(self) -> AsyncGenerator[Transaction]:
        """Several statements, all or none, of those that all commit together."""
        async with self._connection.transaction():
            yield Transaction(self._connection)


_ONE = sa.select(sa.literal(1))
_JOINED: ContextVar[Joined | None] = ContextVar("joined", default=None)


class Database(Queries):
    """One pool, two habits: a lone statement commits itself, several share a transaction.

    A lone statement costs one round trip, because nothing is begun, committed or reset around it.
    """

    def __init__(self, pool: asyncpg.Pool, *, wait_s: float, joined_max: int) -> None:
        self._pool = pool
        self._wait_s = wait_s
        self._joining = asyncio.Semaphore(joined_max)
        self._sharing: dict[int, Sharing] = {}

    @classmethod
    async def connect(
        cls, url: str, *, pool_size: int, wait_s: float, statement_s_max: float
    ) -> "Database":
        """Prepare a pool; nothing is connected before the first statement."""
        pool = asyncpg.create_pool(
            url,
            min_size=0,
            max_size=pool_size,
            max_inactive_connection_lifetime=0,
            reset=_keep,
            timeout=wait_s,
            command_timeout=statement_s_max,
        )
        return cls(await pool, wait_s=wait_s, joined_max=max(pool_size // 2, 1))

    @override
    async def _rows(
        self, statement: ClauseElement, params: dict[str, object], limit: int
    ) -> list[tuple[Any, ...]]:
        if (joined := self._joined()) is not None:
            return await joined._rows(statement, params, limit)  # noqa: SLF001 - of the same family
        ready = compiled(statement)
        began = time.perf_counter()
        connection = await self._pool.acquire(timeout=self._wait_s)
        try:
            records = await connection.fetch(ready.text, *ready.values(params))
        finally:
            await self._pool.release(connection)
            _spent(began)
        return [ready.row(r) for r in (records[:limit] if limit else records)]

    async def shared[*Ts](self, statement: Shared[*Ts], **params: object) -> tuple[*Ts] | None:
        """Answer ``statement`` for one set of parameters, in company of whoever asks meanwhile."""
        sharing = self._sharing.get(id(statement))
        if sharing is None:
            sharing = self._sharing[id(statement)] = Sharing(self._pool, statement, self._wait_s)
        began = time.perf_counter()
        joined = self._joined()
        try:
            if joined is not None:
                return cast("tuple[*Ts] | None", await joined.shared(sharing, params))
            return cast("tuple[*Ts] | None", await sharing.ask(params))
        finally:
            _spent(began)

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Transaction]:
        """Several statements, all or none."""
        if (joined := self._joined()) is not None:
            async with joined.part() as part:
                yield part
            return
        began = time.perf_counter()
        connection = await self._pool.acquire(timeout=self._wait_s)
        try:
            async with connection.transaction():
                yield Transaction(connection)
        finally:
            await self._pool.release(connection)
            _spent(began)

    @asynccontextmanager
    async def joined(self) -> AsyncGenerator[Joined]:
        """Let whatever is asked in the meantime, by this task, be one transaction.

        It may hold its connection for long: half of them are always left to everybody else.
        """
        # who waits here holds nothing that others need
        async with asyncio.timeout(5 * self._wait_s):
            await self._joining.acquire()
        try:
            async with self._pool.acquire(timeout=self._wait_s) as connection:
                joined = Joined(self, connection)
                token = _JOINED.set(joined)
                try:
                    async with connection.transaction():
                        yield joined
                finally:
                    # a task that was started in the meantime goes on without it
                    joined.is_over = True
                    _JOINED.reset(token)
        finally:
            self._joining.release()

    def _joined(self) -> Joined | None:
        joined = _JOINED.get()
        if joined is None or joined.is_over or joined.database is not self:
            return None
        return joined

    async def answers(self) -> bool:
        """Whether PostgreSQL can be reached now."""
        try:
            return await self.one(_ONE, bool)
        except Exception:  # noqa: BLE001 - whatever it is, that was no answer
            return False

    async def close(self) -> None:
        """Close every connection, after what runs has ended; what does not end is cut off."""
        try:
            async with asyncio.timeout(self._wait_s):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()


async def _keep(_: asyncpg.Connection) -> None:
    """No reset query: statements leave nothing behind on a connection."""


def _spent(began: float) -> None:
    now = exchange.current()
    if now is not None:
        now.database_s += time.perf_counter() - began
