"""Who does the jobs: a few hands in each process, woken by its own requests, else by the clock."""

import asyncio
from contextlib import suppress

import msgspec
from litestar import Litestar

from common.forever import forever
from common.relay import Relay
from projects.jobs import service
from projects.jobs.types import Works
from projects.means import Means
from projects.settings import Settings

_RETRY_S = 1.0


class Runner:
    """Does jobs of the kinds that it knows, a bounded number at once."""

    def __init__(self, settings: Settings, works: Works) -> None:
        self._settings = settings
        self._works = works
        self._woken = asyncio.Event()
        self._hands: list[asyncio.Task[None]] = []

    async def open(self, app: Litestar) -> None:
        """Start."""
        means: Means = msgspec.structs.replace(app.state.means, settings=self._settings)
        loop = asyncio.get_running_loop()
        for _ in range(self._settings.jobs_at_once):
            self._hands.append(loop.create_task(self._run(means, app.state.relay)))

    async def close(self) -> None:
        """Stop; what is under way is given back, and nothing of it is left."""
        for hand in self._hands:
            hand.cancel()
        await asyncio.gather(*self._hands, return_exceptions=True)

    async def wake(self) -> None:
        """Say that there is a job."""
        self._woken.set()

    async def _run(self, means: Means, relay: Relay) -> None:
        async def turns() -> None:
            while True:
                await self._turn(means, relay)

        await forever("jobs", turns, pause_s=_RETRY_S)

    async def _turn(self, means: Means, relay: Relay) -> None:
        """Do a job, or wait until there may be one."""
        self._woken.clear()
        claim = await service.claim(means, self._works.keys())
        if claim is not None:
            await service.perform(means, self._works[claim.kind], claim)
            # what it announced does not wait for the next look
            relay.wake()
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(self._settings.job_poll_s):
                await self._woken.wait()
