"""What is over goes away, a while after: jobs, invitations, links, and content that is nobody's."""

import asyncio

from litestar import Litestar

from common.forever import forever
from projects.contents import service as contents
from projects.invitations import service as invitations
from projects.jobs import service as jobs
from projects.means import Means
from projects.settings import Settings
from projects.sharing import service as sharing

# contents last: without the object store the others go on
_SWEEPS = (jobs.sweep, invitations.sweep, sharing.sweep, contents.sweep)


class Sweeper:
    """Sweeps by the clock; what fails is tried again at the next turn."""

    def __init__(self, settings: Settings) -> None:
        self._every_s = settings.sweep_every_s
        self._task: asyncio.Task[None] | None = None

    async def open(self, app: Litestar) -> None:
        """Start."""
        means: Means = app.state.means

        async def turn() -> None:
            await asyncio.sleep(self._every_s)
            for sweep in _SWEEPS:
                # as long as there is more, without a pause
                while await sweep(means):
                    pass

        self._task = asyncio.get_running_loop().create_task(forever("sweep", turn, pause_s=0))

    async def close(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
