"""What the features of this service work with."""

from msgspec import Struct

from builds.peers import Peers
from builds.settings import Settings
from builds.wakes import Wakes
from common.database import Database
from common.health import Watch
from common.storage import Storage


class Means(Struct, frozen=True):
    """One request's means; all but the caller live as long as the process."""

    db: Database
    settings: Settings
    peers: Peers
    storage: Storage
    wakes: Wakes
    watch: Watch
    # what the tools are; without it nothing is known to be built already
    toolchain: str | None
