"""What a request works with: the database, the object store, the cache, and what is allowed."""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context

import msgspec
from litestar import Litestar
from litestar.datastructures import State
from litestar.types import Scope

from common.cache import Cache
from common.database import Database
from common.storage import Storage
from projects.settings import Settings


class Means(msgspec.Struct, frozen=True):
    """Everything that outlives a request."""

    db: Database
    settings: Settings
    storage: Storage
    cache: Cache


class Assembly:
    """A part of the service: puts its means together once they are there."""

    def __init__(self, settings: Settings, storage: Storage) -> None:
        self._settings = settings
        self._storage = storage

    async def open(self, app: Litestar) -> None:
        """Put them together."""
        state = app.state
        state.means = Means(state.db, self._settings, self._storage, state.cache)

    async def close(self) -> None:
        """Each of them has its own end."""


async def provide_means(state: State) -> Means:
    """Let a route have them."""
    means: Means = state.means
    return means


def means_of(scope: Scope) -> Means:
    """The means, for a hot route."""
    means: Means = scope["litestar_app"].state.means
    return means


async def apart[T](work: Callable[[], Awaitable[T]]) -> T:
    """Do work outside of the transaction that this task may be in, and that may fail."""

    async def run() -> T:
        return await work()

    return await asyncio.get_running_loop().create_task(run(), context=Context())
