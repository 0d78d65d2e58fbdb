"""Who works in the background: hands that look for something to do, woken or by the clock."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from litestar import Litestar

from assets.means import Means
from common.forever import forever

_RETRY_S = 1.0


class Hands:
    """So many at once take one turn after another for as long as the service runs.

    ``turn`` says whether there was something to do; where not, the next one can wait. Without
    hands it is for other processes to do.
    """

    def __init__(
        self, name: str, turn: Callable[[Means], Awaitable[bool]], *, count: int, every_s: float
    ) -> None:
        self._name = name
        self._turn = turn
        self._count = count
        self._every_s = every_s
        self._woken = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self, app: Litestar) -> None:
        """Start."""
        loop = asyncio.get_running_loop()
        for _ in range(self._count):
            self._tasks.append(loop.create_task(self._run(app.state.means)))

    async def close(self) -> None:
        """Stop."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def wake(self) -> None:
        """Say that there is something to do."""
        self._woken.set()

    async def _run(self, means: Means) -> None:
        async def turns() -> None:
            while True:
                self._woken.clear()
                if await self._turn(means):
                    continue
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._every_s):
                        await self._woken.wait()

        await forever(self._name, turns, pause_s=_RETRY_S)
