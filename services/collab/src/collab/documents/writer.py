"""What makes an accepted update durable: entries of the log, one at a time, in order."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import structlog
from pycrdt import merge_updates

from collab.documents.repository import UNREACHABLE
from collab.documents.types import Entry, Stored
from collab.settings import Settings

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


class Writer:
    """The log's end of one document. ``accepted`` and ``durable`` count updates.

    While an entry is on its way the next ones gather, so a busy document costs one row a window.
    """

    def __init__(
        self, settings: Settings, stored: Stored, append: Append, signals: Signals
    ) -> None:
        self.seq = stored.seq
        self._rows = len(stored.updates)
        self._bytes = sum(map(len, stored.updates))
        self.accepted = 0
        self.durable = 0
        self._settings = settings
        self._append = append
        self._signals = signals
        self._waiting: list[tuple[bytes, str]] = []
        self._waiting_bytes = 0
        self._after: list[tuple[int, Callable[[], None]]] = []
        self._hurry = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._is_lost = False

    def add(self, update: bytes, actor: str) -> int:
        """Take an update; return its mark, which ``after`` waits for."""
        self.accepted += 1
        self._waiting.append((update, actor))
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

    async def settled(self) -> None:
        """Wait until nothing waits, or it never will."""
        self._hurry.set()
        if self._task is not None:
            await asyncio.shield(self._task)

    async def _run(self) -> None:
        try:
            while self._waiting and not self._is_lost:
                await self._pause()
                await self._write_one()
        except Exception:
            # what was not foreseen must not pass for durable
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

    async def _write_one(self) -> None:
        batch, self._waiting = self._waiting, []
        data = [update for update, _ in batch]
        actors = ",".join(dict.fromkeys(actor for _, actor in batch))
        merged = data[0] if len(data) == 1 else merge_updates(*data)
        if not await self._persist(Entry(self.seq + 1, merged, actors)):
            return
        self.seq += 1
        self.durable += len(batch)
        self._waiting_bytes -= sum(map(len, data))
        ready = [then for mark, then in self._after if mark <= self.durable]
        self._after = [(mark, then) for mark, then in self._after if mark > self.durable]
        for then in ready:
            then()
        self._grow(len(merged))

    def _grow(self, size: int) -> None:
        self._rows += 1
        self._bytes += size
        settings = self._settings
        if self._rows >= settings.log_rows_max or self._bytes >= settings.log_bytes_max:
            self._rows = self._bytes = 0
            self._signals.long()

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
            tell()
