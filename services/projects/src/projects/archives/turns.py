"""How many archives a process makes, takes apart and keeps at once."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from common.errors import UnavailableError
from projects.settings import Settings

_COME_BACK_S = 5


class Turn:
    """So many at once; who comes later waits for a while, and is then told to come back."""

    def __init__(self, at_once: int, wait_s: float) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._wait_s = wait_s

    @asynccontextmanager
    async def taken(self, *, waits: bool = True) -> AsyncGenerator[None]:
        """Have one's turn while the block runs; raises ``UnavailableError``."""
        try:
            async with asyncio.timeout(self._wait_s if waits else 0):
                await self._free.acquire()
        except TimeoutError as exc:
            raise UnavailableError(
                "Too many archives are under way, try again.", wait_s=_COME_BACK_S
            ) from exc
        try:
            yield
        finally:
            self._free.release()


class Turns:
    """Work takes processors and memory; what comes in or goes out slowly takes room on a disk."""

    def __init__(self, settings: Settings) -> None:
        self.importing = Turn(settings.imports_at_once, settings.archive_wait_s)
        self.exporting = Turn(settings.exports_at_once, settings.archive_wait_s)
        self.receiving = Turn(settings.archives_open_max, 0)
        self.sending = Turn(settings.archives_open_max, 0)
