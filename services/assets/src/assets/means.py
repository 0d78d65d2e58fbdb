"""What every use of this service works with."""

import msgspec

from assets.peers import Projects
from assets.settings import Settings
from common.access import Ask
from common.database import Database
from common.storage import Storage


class Means(msgspec.Struct, frozen=True):
    """The database, the object store, whom to ask about access, and the limits."""

    db: Database
    storage: Storage
    settings: Settings
    projects: Projects

    @property
    def ask(self) -> Ask:
        """How to learn of a project never heard of."""
        return self.projects.access
