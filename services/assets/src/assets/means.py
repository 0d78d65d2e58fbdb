"""What every use of this service works with."""

import msgspec
from litestar import Litestar
from litestar.datastructures import State

from assets.peers import Projects
from assets.settings import Settings
from assets.studio.pool import Studio
from common.access import Ask
from common.database import Database
from common.storage import Storage


class Means(msgspec.Struct, frozen=True):
    """The database, the object store, whom to ask about access, who decodes, and the limits."""

    db: Database
    storage: Storage
    settings: Settings
    projects: Projects
    studio: Studio

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

    async def open(self, app: Litestar) -> None:
        """Put them together."""
        app.state.means = Means(
            app.state.db, self._storage, self._settings, self._projects, self._studio
        )

    async def close(self) -> None:
        """Whoever opened something closes it."""


async def provide_means(state: State) -> Means:
    """Give a route its means."""
    means: Means = state.means
    return means
