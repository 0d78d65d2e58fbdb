"""What documents live on."""

import msgspec

from collab.leases.leases import Leases
from collab.peers import Projects
from collab.settings import Settings
from collab.workshop.workshop import Workshop
from common.database import Database


class Means(msgspec.Struct, frozen=True):
    """The database, the files, and the leases that say which documents are this process's."""

    db: Database
    projects: Projects
    settings: Settings
    leases: Leases
    workshop: Workshop
