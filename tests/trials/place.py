"""Where a trial's document is, which moves and deletions change."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from tests.trials.ledger import NEVER, Ledger, Span


class Place:
    """A path, and when it was not certain that the file is there."""

    def __init__(self, path: str, ledger: Ledger) -> None:
        self.path = path
        # what the writers left at this path, by its version
        self.versions: dict[int, str] = {}
        self.was_deleted = False
        self._ledger = ledger
        self._troubles: list[Span] = []
        self._writers = 0
        self._free = asyncio.Condition()
        self._is_moving = False

    @asynccontextmanager
    async def staying(self) -> AsyncGenerator[str]:
        """The file stays where it is meanwhile: who writes there makes no other one."""
        async with self._free:
            await self._free.wait_for(lambda: not self._is_moving)
            self._writers += 1
        try:
            yield self.path
        finally:
            async with self._free:
                self._writers -= 1
                self._free.notify_all()

    @asynccontextmanager
    async def moving(self) -> AsyncGenerator[str]:
        """Nobody writes blindly meanwhile."""
        async with self._free:
            await self._free.wait_for(lambda: not self._is_moving and not self._writers)
            self._is_moving = True
        try:
            with_trouble = self.trouble()
            yield self.path
            with_trouble.end = self._ledger.now()
        finally:
            async with self._free:
                self._is_moving = False
                self._free.notify_all()

    def trouble(self) -> Span:
        """Note that from now on the file may not be where it was; who says so ends it."""
        span = Span(self._ledger.now())
        self._troubles.append(span)
        return span

    def may_miss(self, since: int) -> bool:
        """Whether somebody who looks since then may find no file."""
        return any(span.end >= since for span in self._troubles)

    def moved(self, path: str) -> None:
        """Note where it is now."""
        self.path = path
        self.versions.clear()

    @property
    def is_certain(self) -> bool:
        """Whether nothing is under way that changes where it is."""
        return all(span.end < NEVER for span in self._troubles)
