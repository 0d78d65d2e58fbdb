"""Who waits for news of a build is woken by a word over NATS; without NATS they look by the clock.

The word says only that there is news. What it is stands in the database.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from uuid import UUID

import nats.errors
import structlog
from litestar import Litestar
from nats.aio.msg import Msg

from common.bus import Bus

log = structlog.get_logger()

_SUBJECT = "live.builds"


async def tell(bus: Bus, build_id: UUID) -> None:
    """Say that there is news; nobody is worse off than a moment's delay if it is not heard."""
    if bus.client is not None and bus.is_connected:
        with suppress(nats.errors.Error, OSError):
            await bus.client.publish(f"{_SUBJECT}.{build_id}")


class Waiting:
    """Somebody who waits for news of one build."""

    def __init__(self) -> None:
        self.event = asyncio.Event()

    async def news(self, within_s: float) -> None:
        """Return at the next news, or when the time has passed."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self.event.wait()
        self.event.clear()


class Wakes:
    """Everybody in this process who waits."""

    def __init__(self) -> None:
        self._waiting: defaultdict[str, set[Waiting]] = defaultdict(set)
        self._bus: Bus | None = None

    async def open(self, app: Litestar) -> None:
        """Listen, whenever there is somebody to listen to."""
        self._bus = app.state.bus
        await app.state.bus.heed(f"{_SUBJECT}.*", self._wake)

    async def wake(self, build_id: UUID) -> None:
        """Wake whoever waits for news of a build, here and in other processes."""
        if self._bus is not None:
            await tell(self._bus, build_id)

    async def close(self) -> None:
        """Let go of everybody; whoever waits looks once more."""
        for waiting in [w for group in self._waiting.values() for w in group]:
            waiting.event.set()

    async def _wake(self, message: Msg) -> None:
        for waiting in self._waiting.get(message.subject.rpartition(".")[2], ()):
            waiting.event.set()

    @asynccontextmanager
    async def waiting(self, build_id: UUID) -> AsyncGenerator[Waiting]:
        """Wait for news of a build; what comes between two waits is not missed."""
        key, waiting = str(build_id), Waiting()
        self._waiting[key].add(waiting)
        try:
            yield waiting
        finally:
            self._waiting[key].discard(waiting)
            if not self._waiting[key]:
                del self._waiting[key]
