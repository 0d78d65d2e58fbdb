"""When what was typed is written back: a moment after the last key, and at least now and then."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any
from uuid import UUID

import structlog

from collab.documents.document import Document
from collab.settings import Settings
from common.errors import NotFoundError

log = structlog.get_logger()


class _Due:
    __slots__ = ("failures", "is_running", "since", "timer")

    def __init__(self, since: float) -> None:
        self.since = since
        self.failures = 0
        self.is_running = False
        self.timer: asyncio.TimerHandle | None = None


class WriteBacks:
    """The documents that their files are behind of.

    Typing moves no timer: the one that was set looks whether it is time when it rings.
    """

    def __init__(
        self,
        settings: Settings,
        start: Callable[[Coroutine[Any, Any, None]], None],
        write_back: Callable[[Document], Awaitable[None]],
    ) -> None:
        self._settings = settings
        self._start = start
        self._write_back = write_back
        self._due: dict[UUID, _Due] = {}

    def soon(self, document: Document) -> None:
        """Write back once nobody has typed for a moment, or somebody has for long."""
        if document.id not in self._due:
            due = self._due[document.id] = _Due(time.monotonic())
            self._ring(document, due, self._settings.write_back_s)

    def now(self, document: Document) -> None:
        """Write back at once, if anything is to be."""
        due = self._due.get(document.id)
        if due is None:
            due = self._due[document.id] = _Due(time.monotonic())
        # what failed has its own pace
        if not due.is_running and not due.failures:
            self._go(document, due)

    def _ring(self, document: Document, due: _Due, in_s: float) -> None:
        loop = asyncio.get_running_loop()
        due.timer = loop.call_later(in_s, self._rang, document, due)

    def _rang(self, document: Document, due: _Due) -> None:
        now = time.monotonic()
        quiet_at = document.touched_s + self._settings.write_back_s
        late_at = due.since + self._settings.write_back_s_max
        wait_s = min(quiet_at, late_at) - now
        if wait_s > 0 and not due.failures:
            self._ring(document, due, wait_s)
        elif not due.is_running:
            self._go(document, due)

    def _go(self, document: Document, due: _Due) -> None:
        if due.timer is not None:
            due.timer.cancel()
        due.is_running = True
        self._start(self._run(document, due))

    async def _run(self, document: Document, due: _Due) -> None:
        try:
            if not document.is_dropped:
                await self._write_back(document)
        except NotFoundError:
            # the document has ended with its file
            pass
        except Exception as exc:  # noqa: BLE001 - whatever it is, it is tried again
            due.is_running = False
            due.failures += 1
            if self._due.get(document.id) is due and not document.is_dropped:
                log.warning("write_back_waits", document_id=document.id, error=repr(exc))
                longest = self._settings.write_back_s_max
                pause_s = min(longest, self._settings.write_back_s * 2 ** min(due.failures, 8))
                self._ring(document, due, pause_s)
            return
        self.forget(document)
        if not document.is_dropped and not document.is_clean:
            self.soon(document)

    def forget(self, document: Document) -> None:
        """Let a document be as it is."""
        due = self._due.pop(document.id, None)
        if due is not None and due.timer is not None:
            due.timer.cancel()
