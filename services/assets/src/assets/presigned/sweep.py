"""The sweep: now and then, for as long as the service runs."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from litestar import Litestar

from assets.means import Means
from assets.presigned import service
from assets.quarantine import service as quarantine
from assets.quarantine import strays
from assets.settings import Settings
from assets.tus import service as tus

log = structlog.get_logger()


class Sweeper:
    """Sweeps expired uploads; what fails is tried again at the next turn."""

    def __init__(self, settings: Settings) -> None:
        self._every_s = settings.sweep_every_s
        self._task: asyncio.Task[None] | None = None

    async def open(self, app: Litestar) -> None:
        """Start."""
        self._task = asyncio.get_running_loop().create_task(self._run(app.state.means))

    async def close(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self, means: Means) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            for sweep in (service.sweep, tus.sweep, quarantine.sweep_strays, strays.sweep):
                try:
                    await _emptied(means, sweep)
                except Exception as exc:  # noqa: BLE001 - whatever it is, the next turn is due
                    log.warning("sweep_failed", error=repr(exc))


async def _emptied(means: Means, sweep: Callable[[Means], Awaitable[int]]) -> None:
    """Sweep until there is less than one sweep takes."""
    is_more = True
    while is_more:
        is_more = await sweep(means) >= means.settings.sweep_uploads_max
