"""What every use of this service works with."""

from collections.abc import Hashable
from typing import Any

import msgspec
from litestar import Litestar
from litestar.datastructures import State
from litestar.types import Scope

from assets.once import Once
from assets.peers import Projects
from assets.settings import Settings
from assets.studio.pool import Studio
from common.access import Ask
from common.database import Database
from common.storage import Storage


class Means(msgspec.Struct, frozen=True):
    """The database, the object store, whom to ask about access, who decodes, and the limits.

    ``aside`` is the same database over connections of its own, for what must be noted whether or
    not the transaction around it commits. Whoever holds a connection of ``db`` may wait for one of
    them, and nobody the other way round. ``once`` is for what many ask for at the same time.
    """

    db: Database
    aside: Database
    storage: Storage
    settings: Settings
    projects: Projects
    studio: Studio
    once: Once[Hashable, Any]

    @property
    def ask(self) -> Ask:
        """How to learn of a project never heard of."""
        return self.projects.access


class Assembly:
    """Puts the means together at the start, in ``app.state.means``."""

    def __init__(
        self, settings: Settings, storage: Storage, projects: Projects, studio: Studio
    ) -> None:
        self._settings = settings
        self._storage = storage
        self._projects = projects
        self._studio = studio
        self._aside: Database | None = None
        self._once: Once[Hashable, Any] = Once()

    async def open(self, app: Litestar) -> None:
        """Put them together."""
        settings = self._settings
        self._aside = await Database.connect(
            settings.database_url,
            pool_size=settings.aside_pool_size,
            wait_s=settings.pool_wait_s,
            statement_s_max=settings.statement_s_max,
        )
        app.state.means = Means(
            app.state.db,
            self._aside,
            self._storage,
            settings,
            self._projects,
            self._studio,
            self._once,
        )

    async def close(self) -> None:
        """End what is only for them; whoever opened something else closes it."""
        await self._once.close()
        if self._aside is not None:
            await self._aside.close()


async def provide_means(state: State) -> Means:
    """Give a route its means."""
    means: Means = state.means
    return means


def means_of(scope: Scope) -> Means:
    """Give a slim route its means."""
    means: Means = scope["litestar_app"].state.means
    return means
