"""Concurrent requests for the same statement share a round trip.

There is no timer: a batch leaves at once while a connection is free, and grows only while all are
busy. A batch that fails is repeated one by one, so that a fault stays with the request it is of.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import asyncpg
from sqlalchemy import Select

from common.statements import Compiled

type _Waiting = tuple[tuple[Any, ...], asyncio.Future[Any]]


class Shared[*Ts]:
    """A statement over ``statements.keys``: it selects ``i`` and then ``*Ts``.

    ``exclusive`` names the parameters that together must not be in flight twice, as the rows that a
    write touches must not; ``lanes`` is how many batches may be under way: one for quick reads,
    which then travel in larger company, more for writes, which wait for the disk.
    """

    def __init__(
        self,
        statement: Select[int, *Ts],
        params: Sequence[str],
        *,
        exclusive: Sequence[str] = (),
        batch_max: int = 64,
        lanes: int = 2,
    ) -> None:
        self.statement = statement
        self.params = tuple(params)
        self.exclusive = tuple(self.params.index(name) for name in exclusive)
        self.batch_max = batch_max
        self.lanes = lanes


class Sharing:
    """One shared statement on one pool."""

    def __init__(self, pool: asyncpg.Pool, shared: Shared[*tuple[Any, ...]], wait_s: float) -> None:
        self._pool = pool
        self._shared = shared
        self._wait_s = wait_s
        self._compiled = Compiled(shared.statement)
        self._queue: list[_Waiting] = []
        self._busy: set[tuple[Any, ...]] = set()
        self._free = shared.lanes
        self._scheduled = False
        self._tasks: set[asyncio.Task[None]] = set()

    def ask(self, params: dict[str, object]) -> asyncio.Future[Any]:
        """Queue one request; the future holds its row, or ``None``."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        key = tuple(params[name] for name in self._shared.params)
        self._queue.append((key, future))
        if not self._scheduled and self._free:
            self._scheduled = True
            loop.call_soon(self._leave)
        return future

    def _leave(self) -> None:
        self._scheduled = False
        while self._queue and self._free:
            part, held = self._take()
            if not part:
                return
            self._free -= 1
            task = asyncio.get_running_loop().create_task(self._carry(part, held))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _take(self) -> tuple[list[_Waiting], set[tuple[Any, ...]]]:
        exclusive = self._shared.exclusive
        limit = self._shared.batch_max
        if not exclusive:
            part, self._queue = self._queue[:limit], self._queue[limit:]
            return part, set()
        part, rest, held = [], [], set()
        for waiting in self._queue:
            mark = tuple(waiting[0][i] for i in exclusive)
            if len(part) < limit and mark not in held and mark not in self._busy:
                held.add(mark)
                part.append(waiting)
            else:
                # one that must wait keeps its turn before later ones of the same rows
                held.add(mark)
                rest.append(waiting)
        self._queue = rest
        taken = {tuple(key[i] for i in exclusive) for key, _ in part}
        self._busy |= taken
        return part, taken

    async def _carry(self, part: list[_Waiting], held: set[tuple[Any, ...]]) -> None:
        try:
            await self._fetch(part)
        except Exception as exc:  # noqa: BLE001 - each waiter must hear of it, whatever it is
            await self._one_by_one(part, exc)
        except BaseException as exc:
            _fail(part, exc)
            raise
        finally:
            self._free += 1
            self._busy -= held
            if self._queue:
                self._leave()

    async def _one_by_one(self, part: list[_Waiting], exc: Exception) -> None:
        if len(part) == 1 or _is_everybodys(exc):
            _fail(part, exc)
            return
        for waiting in part:
            try:
                await self._fetch([waiting])
            except Exception as own:  # noqa: BLE001 - it belongs to this waiter
                _fail([waiting], own)

    async def ask_alone(
        self, connection: asyncpg.pool.PoolConnectionProxy, params: dict[str, object]
    ) -> tuple[Any, ...] | None:
        """Ask for one set of parameters on a connection of one's own."""
        values = self._compiled.values({name: [params[name]] for name in self._shared.params})
        records = await connection.fetch(self._compiled.text, *values)
        return self._compiled.row(records[0])[1:] if records else None

    async def _fetch(self, part: list[_Waiting]) -> None:
        columns = dict(zip(self._shared.params, zip(*[key for key, _ in part]), strict=True))  # noqa: B905 - rows of one length
        values = self._compiled.values(columns)
        connection = await self._pool.acquire(timeout=self._wait_s)
        try:
            records = await connection.fetch(self._compiled.text, *values)
        finally:
            await self._pool.release(connection)
        for record in records:
            row = self._compiled.row(record)
            future = part[row[0] - 1][1]
            if not future.done():
                future.set_result(row[1:])
        for _, future in part:
            if not future.done():
                future.set_result(None)


def _fail(part: list[_Waiting], exc: BaseException) -> None:
    for _, future in part:
        if not future.done():
            future.set_exception(exc)


def _is_everybodys(exc: Exception) -> bool:
    """Whether the connection failed, rather than what one of the requests said."""
    if isinstance(exc, ValueError):
        return False  # a value that does not fit its type, noticed before anything was sent
    return isinstance(
        exc, OSError | TimeoutError | asyncpg.InterfaceError | asyncpg.PostgresConnectionError
    )
