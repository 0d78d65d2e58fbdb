"""What makes an accepted update durable: entries of the log, one at a time, in order."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import structlog
from pycrdt import merge_updates

from collab.documents.types import Entry
from collab.outages import UNREACHABLE
from collab.settings import Settings
from common.errors import UnavailableError

log = structlog.get_logger()

type Append = Callable[[Entry], Awaitable[bool]]


class Signals(msgspec.Struct, frozen=True):
    """Whom to tell of what."""

    fenced: Callable[[], None]
    """Another process has written: this one's copy is not the document any more."""
    unavailable: Callable[[], None]
    """The database stayed away for longer than updates may wait."""
    long: Callable[[], None]
    """The log has become long."""
    accepted: Callable[[], None]
    """Somebody's change waits to become durable."""


class _Waiting(msgspec.Struct):
    update: bytes
    actor: str
    file_hash: str | None
    # an entry ends here, whatever comes behind it
    is_last: bool


class Writer:
    """The log's end of one document. ``accepted`` and ``durable`` count updates.

    While an entry is on its way the next ones gather, so a busy document costs one row a window.
    """

    def __init__(
        self,
        settings: Settings,
        append: Append,
        signals: Signals,
        *,
        seq: int,
        rows: int,
        size: int,
    ) -> None:
        self.seq = seq
        self._rows = rows
        self._bytes = size
        self.accepted = 0
        self.durable = 0
        self._settings = settings
        self._append = append
        self._signals = signals
        self._waiting: list[_Waiting] = []
        self._waiting_bytes = 0
        self._after: list[tuple[int, Callable[[], None]]] = []
        self._hurry = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._is_lost = False
        self._awaited: set[asyncio.Future[int]] = set()
        # nothing behind this mark is written
        self._held_at: int | None = None
        self._going_on = asyncio.Event()

    def add(self, update: bytes, actor: str, file_hash: str | None = None) -> int:
        """Take an update; return its mark, which ``after`` waits for.

        With ``file_hash`` it has an entry of its own.
        """
        if file_hash is not None and self._waiting:
            self._waiting[-1].is_last = True
        self.accepted += 1
        self._waiting.append(_Waiting(update, actor, file_hash, file_hash is not None))
        if file_hash is None:
            self._signals.accepted()
        self._waiting_bytes += len(update)
        if self._waiting_bytes > self._settings.unacknowledged_bytes_max:
            self._lose(self._signals.unavailable)
        elif self._task is None and not self._is_lost:
            self._task = asyncio.get_running_loop().create_task(self._run())
        return self.accepted

    def after(self, mark: int, then: Callable[[], None]) -> None:
        """Call ``then`` once everything up to ``mark`` is durable; at once if it is."""
        if self.durable >= mark:
            then()
        else:
            self._after.append((mark, then))
            self._hurry.set()

    async def seal(self, *, hold: bool = False) -> int:
        """End an entry with what was accepted so far; return its number once it is durable.

        With ``hold`` nothing that comes later is written before ``go_on``. Raises
        ``UnavailableError`` where it does not become durable in time.
        """
        if self._waiting:
            self._waiting[-1].is_last = True
        if hold:
            self._held_at = self.accepted
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def arrived() -> None:
            if not done.done():
                done.set_result(self.seq)

        self.after(self.accepted, arrived)
        self._going_on.set()
        return await self._within(done)

    def go_on(self) -> None:
        """Write again what is accepted."""
        self._held_at = None
        self._going_on.set()

    async def reached(self, mark: int) -> None:
        """Wait until everything up to ``mark`` is durable; raises ``UnavailableError``."""
        if self.durable >= mark:
            return
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.after(mark, lambda: None if done.done() else done.set_result(0))
        await self._within(done)

    async def _within(self, done: asyncio.Future[int]) -> int:
        if self._is_lost:
            raise UnavailableError
        self._awaited.add(done)
        try:
            async with asyncio.timeout(self._settings.durable_wait_s):
                return await done
        except TimeoutError as exc:
            raise UnavailableError from exc
        finally:
            self._awaited.discard(done)

    async def settled(self) -> None:
        """Wait until nothing waits, or it never will."""
        self._hurry.set()
        self.go_on()
        if self._task is not None:
            await asyncio.shield(self._task)

    async def _run(self) -> None:
        try:
            while self._waiting and not self._is_lost:
                if self._held_at is not None and self.durable >= self._held_at:
                    self._going_on.clear()
                    await self._going_on.wait()
                    continue
                await self._pause()
                await self._write_one()
        except asyncio.CancelledError:
            raise
        except BaseException:
            # what was not foreseen must not pass for durable; the CRDT library's panics are no
            # `Exception`
            log.exception("writer_died")
            self._lose(self._signals.unavailable)
        finally:
            self._task = None

    async def _pause(self) -> None:
        """Let a moment's updates gather, unless somebody waits for them."""
        try:
            async with asyncio.timeout(self._settings.log_window_s):
                await self._hurry.wait()
        except TimeoutError:
            pass
        self._hurry.clear()

    def _batch(self) -> list[_Waiting]:
        """Take what makes the next entry."""
        end = next((i for i, one in enumerate(self._waiting, 1) if one.is_last), None)
        batch, self._waiting = self._waiting[:end], self._waiting[end:] if end else []
        return batch

    async def _write_one(self) -> None:
        batch = self._batch()
        data = [one.update for one in batch]
        actors = ",".join(dict.fromkeys(one.actor for one in batch if one.actor))
        merged = data[0] if len(data) == 1 else merge_updates(*data)
        entry = Entry(self.seq + 1, merged, actors, batch[-1].file_hash)
        if not await self._persist(entry):
            return
        self.seq += 1
        self.durable += len(batch)
        self._waiting_bytes -= sum(map(len, data))
        ready = [then for mark, then in self._after if mark <= self.durable]
        self._after = [(mark, then) for mark, then in self._after if mark > self.durable]
        if self._after:
            self._hurry.set()
        for then in ready:
            then()
        self._grow(len(merged))

    def _grow(self, size: int) -> None:
        self._rows += 1
        self._bytes += size
        if self.is_long:
            self._signals.long()

    @property
    def is_long(self) -> bool:
        """Whether the log should become a snapshot."""
        settings = self._settings
        return self._rows >= settings.log_rows_max or self._bytes >= settings.log_bytes_max

    def holds_more_than(self, rows: int) -> bool:
        """Whether the log behind the snapshot has more entries."""
        return self._rows > rows

    def compacted(self) -> None:
        """Take note that the log became a snapshot."""
        self._rows = self._bytes = 0

    @property
    def is_settled(self) -> bool:
        """Whether everything accepted is durable."""
        return self.durable == self.accepted

    async def _persist(self, entry: Entry) -> bool:
        loop = asyncio.get_running_loop()
        began = loop.time()
        while not self._is_lost:
            try:
                if await self._append(entry):
                    return True
                self._lose(self._signals.fenced)
            except UNREACHABLE as exc:
                log.warning("append_waits", error=repr(exc))
                if loop.time() - began > self._settings.unacknowledged_s_max:
                    self._lose(self._signals.unavailable)
                await asyncio.sleep(self._settings.log_retry_s)
        return False

    def _lose(self, tell: Callable[[], None]) -> None:
        if not self._is_lost:
            self._is_lost = True
            self._going_on.set()
            for done in self._awaited:
                if not done.done():
                    # it will never be durable here
                    done.set_exception(UnavailableError())
            tell()

    def lose(self) -> None:
        """Write nothing more: the document is another process's."""
        self._lose(lambda: None)
