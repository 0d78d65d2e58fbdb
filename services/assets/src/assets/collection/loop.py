"""The collection: now and then, for as long as the service runs."""

import asyncio

from litestar import Litestar

from assets.collection import service
from assets.means import Means
from assets.settings import Settings
from common.forever import forever


class Collector:
    """Collects by the clock; what fails is tried again at the next turn."""

    def __init__(self, settings: Settings) -> None:
        self._every_s = settings.collect_every_s
        self._task: asyncio.Task[None] | None = None

    async def open(self, app: Litestar) -> None:
        """Start."""
        means: Means = app.state.means

        async def turn() -> None:
            await asyncio.sleep(self._every_s)
            await service.collect(means)

        self._task = asyncio.get_running_loop().create_task(forever("collect", turn, pause_s=0))

    async def close(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
