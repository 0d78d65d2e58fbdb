"""What a request works with: the database, the object store, the cache, and what is allowed."""

import asyncio
from uuid import UUID

import msgspec
from litestar import Litestar
from litestar.datastructures import State
from litestar.types import Scope

from common.cache import Cache
from common.database import Database
from common.storage import Storage
from projects.peers import Peers
from projects.settings import Settings


class Means(msgspec.Struct, frozen=True):
    """Everything that outlives a request.

    ``aside`` is the same database over connections of its own: for what must be noted whether or
    not the transaction around it commits, and for what collab asks while a transaction waits for
    it. Whoever holds a connection of ``db`` may wait for one of them, and nobody the other way
    round.
    """

    db: Database
    aside: Database
    settings: Settings
    storage: Storage
    cache: Cache
    peers: Peers
    # keyframes that are being made, by project
    under_way: dict[UUID, asyncio.Task[None]]


class Assembly:
    """A part of the service: puts its means together once they are there."""

    def __init__(self, settings: Settings, storage: Storage, peers: Peers) -> None:
        self._settings = settings
        self._storage = storage
        self._peers = peers
        self._means: Means | None = None

    async def open(self, app: Litestar) -> None:
        """Put them together."""
        settings, state = self._settings, app.state
        aside = await Database.connect(
            settings.database_url,
            pool_size=settings.aside_pool_size,
            wait_s=settings.pool_wait_s,
            statement_s_max=settings.statement_s_max,
        )
        self._means = Means(state.db, aside, settings, self._storage, state.cache, self._peers, {})
        state.means = self._means

    async def close(self) -> None:
        """End what goes on by itself, and what is only for that."""
        if self._means is None:
            return
        tasks = list(self._means.under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._means.aside.close()


async def provide_means(state: State) -> Means:
    """Let a route have them."""
    means: Means = state.means
    return means


def means_of(scope: Scope) -> Means:
    """The means, for a hot route."""
    means: Means = scope["litestar_app"].state.means
    return means
