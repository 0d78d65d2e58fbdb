"""Which projects are this process's: leases that it renews, and that others take when it dies.

A lease is the project's: its documents and its room are in one process, so that one event loop
decides in which order things happened. That a lease is over is known here by the clock as well,
before anybody else can have taken it; and who writes in spite of it finds the number taken.
"""

import asyncio
import time
from collections.abc import Callable, Collection
from uuid import UUID

import structlog

from collab.leases import repository
from collab.leases.schema import Node, Owner
from collab.outages import UNREACHABLE
from collab.settings import Settings
from common.database import Database
from common.errors import UnavailableError
from common.forever import forever

log = structlog.get_logger()

_ATTEMPTS = 3
_NOT_BROKEN = -1
_BURIED_AFTER_S = 86_400.0


class Leases:
    """The projects that this process holds; ``on_lost`` is told of each that it has lost."""

    def __init__(
        self, settings: Settings, db: Database, node: Node, on_lost: Callable[[UUID], None]
    ) -> None:
        self.node = node
        self._settings = settings
        self._db = db
        self._on_lost = on_lost
        self._held: dict[UUID, int] = {}
        self._used_at: dict[UUID, float] = {}
        self._claims: dict[UUID, asyncio.Task[int | Owner]] = {}
        self._valid_until = float("-inf")
        self._beating: asyncio.Task[None] | None = None
        self._is_leaving = False

    async def open(self) -> None:
        """Say that this process lives, now and again."""
        self._beating = asyncio.get_running_loop().create_task(
            forever("leases", self._beat_on, pause_s=self._settings.node_beat_s)
        )

    async def _beat_on(self) -> None:
        await repository.replace(self._db, self.node)
        await self._beat()
        await repository.bury(self._db, _BURIED_AFTER_S)
        while True:
            await asyncio.sleep(self._settings.node_beat_s)
            await self._beat()

    async def _beat(self) -> None:
        """Renew everything, and notice what somebody else has taken."""
        began = time.monotonic()
        before = dict(self._held)
        found = await repository.beat(self._db, self.node, self._settings.node_ttl_s)
        # the database counts from a later moment
        self._valid_until = began + self._settings.node_ttl_s
        theirs = {held.project_id: held.epoch for held in found}
        for project_id, epoch in before.items():
            if theirs.get(project_id) != epoch and self._held.get(project_id) == epoch:
                self.lose(project_id)

    def lose(self, project_id: UUID) -> None:
        """Give up a project that is another process's."""
        self._used_at.pop(project_id, None)
        if self._held.pop(project_id, None) is not None:
            log.warning("lease_lost", project_id=project_id)
            self._on_lost(project_id)

    def epoch(self, project_id: UUID) -> int | None:
        """Since when the project is surely this process's; ``None`` where that is not sure."""
        now = time.monotonic()
        if self._is_leaving or now >= self._valid_until:
            return None
        epoch = self._held.get(project_id)
        if epoch is not None:
            self._used_at[project_id] = now
        return epoch

    def unused_since(self, moment: float) -> list[UUID]:
        """Return the projects that nobody asked for since then (of the monotonic clock)."""
        return [one for one in self._held if self._used_at.get(one, moment) < moment]

    async def claim(self, project_id: UUID, broken_epoch: int = _NOT_BROKEN) -> int | Owner:
        """Take the project, unless it is another's: then return whose.

        ``broken_epoch`` is that of an owner whom nobody can reach. Raises ``UnavailableError``.
        """
        epoch = self.epoch(project_id)
        if epoch is not None:
            return epoch
        if self._is_leaving:
            raise UnavailableError
        task = self._claims.get(project_id)
        if task is None:
            work = self._claim(project_id, broken_epoch)
            task = self._claims[project_id] = asyncio.get_running_loop().create_task(work)
            task.add_done_callback(lambda _: self._claims.pop(project_id, None))
        return await asyncio.shield(task)

    async def _claim(self, project_id: UUID, broken_epoch: int) -> int | Owner:
        try:
            if time.monotonic() >= self._valid_until:
                await self._beat()
                if (known := self._held.get(project_id)) is not None:
                    return known
            for _ in range(_ATTEMPTS):
                epoch = await repository.claim(self._db, self.node.id, project_id, broken_epoch)
                if epoch is not None:
                    # what was made of it under an older lease is not it any more
                    self.lose(project_id)
                    self._held[project_id] = epoch
                    self._used_at[project_id] = time.monotonic()
                    return epoch
                owner = await repository.owner(self._db, project_id)
                if owner is not None:
                    return owner
        except UNREACHABLE as exc:
            raise UnavailableError from exc
        raise UnavailableError

    async def locate(self, project_id: UUID) -> Owner | None:
        """Return which other process has the project, if one has."""
        if self.epoch(project_id) is not None:
            return None
        try:
            owner = await repository.owner(self._db, project_id)
        except UNREACHABLE as exc:
            raise UnavailableError from exc
        return None if owner is None or owner.id == self.node.id else owner

    async def over(self, owners: dict[UUID, int]) -> set[UUID]:
        """Return those of some projects that are not their owners' any more, by epoch."""
        living = await repository.living(self._db, list(owners))
        now = {held.project_id: held.epoch for held in living}
        return {project_id for project_id, epoch in owners.items() if now.get(project_id) != epoch}

    async def orphans(self, count_max: int) -> list[UUID]:
        """Return projects whose process died."""
        return await repository.orphans(self._db, count_max)

    async def release(self, project_id: UUID) -> None:
        """Let go of a project of which nothing is in this process any more."""
        epoch = self._held.pop(project_id, None)
        self._used_at.pop(project_id, None)
        if epoch is not None:
            await repository.release(self._db, self.node.id, project_id, epoch)

    async def close(self, unfinished: Collection[UUID] = ()) -> None:
        """Let go of everything; of what is ``unfinished`` others hear as of a dead process's."""
        self._is_leaving = True
        if self._beating is not None:
            self._beating.cancel()
        try:
            for project_id in set(self._held) - set(unfinished):
                await self.release(project_id)
            await repository.leave(self._db, self.node.id)
        except UNREACHABLE as exc:
            log.warning("leases_run_out", error=repr(exc))
