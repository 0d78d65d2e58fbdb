"""What keeps projects from being nobody's, or somebody's who has nothing to do with them."""

import asyncio
import time
from uuid import UUID

import structlog

from collab.documents import service
from collab.documents.library import Library
from collab.leases.leases import Leases
from collab.leases.schema import Owner
from collab.links.links import Links
from collab.outages import UNREACHABLE
from collab.settings import Settings
from collab.sockets.gate import Gate
from common.errors import ServiceError
from common.forever import forever

log = structlog.get_logger()


class Keeper:
    """Lets go of what is not used, and takes care of what dead processes left."""

    def __init__(
        self,
        settings: Settings,
        leases: Leases,
        library: Library,
        gate: Gate,
        links: Links,
    ) -> None:
        self._settings = settings
        self._links = links
        self._leases = leases
        self._library = library
        self._gate = gate
        self._tasks: list[asyncio.Task[None]] = []

    def open(self) -> None:
        """Begin."""
        loop = asyncio.get_running_loop()
        idle_s, sweep_s = self._settings.lease_idle_s, self._settings.orphan_sweep_s
        self._tasks = [
            loop.create_task(forever("leases_idle", self._tidy, pause_s=idle_s)),
            loop.create_task(forever("leases_orphaned", self._sweep, pause_s=sweep_s)),
            loop.create_task(forever("links", self._watch, pause_s=self._settings.node_beat_s)),
        ]

    async def close(self) -> None:
        """End."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _tidy(self) -> None:
        """Let other processes have the projects of which nothing is here."""
        before = time.monotonic() - self._settings.lease_idle_s
        for project_id in self._leases.unused_since(before):
            if self._gate.is_empty(project_id) and not self._library.of_project(project_id):
                await self._leases.release(project_id)

    async def _watch(self) -> None:
        """Call those back who are with a process that has lost their project, or does not move."""
        owners = self._links.owners()
        if owners:
            self._links.end(await self._leases.over(owners))

    async def _sweep(self) -> None:
        """Write back what was typed in processes that died."""
        for project_id in await self._leases.orphans(self._settings.orphans_max):
            try:
                await self._adopt(project_id)
            except (ServiceError, *UNREACHABLE) as exc:
                log.warning("orphan_waits", project_id=project_id, error=repr(exc))

    async def _adopt(self, project_id: UUID) -> None:
        if isinstance(await self._leases.claim(project_id), Owner):
            return
        settled = await service.settle(self._library, project_id, None)
        log.info("orphan_adopted", project_id=project_id, documents=settled)
