"""The assets service: the library of each project, and the bytes in it."""

from litestar import Litestar
from litestar.di import Provide

from assets.collection import events as collection_events
from assets.collection import routes as collection
from assets.collection.loop import Collector
from assets.delivery import routes as delivery
from assets.delivery.stock import Stock
from assets.library import events as library_events
from assets.library import routes as library
from assets.means import Assembly, provide_means
from assets.objects import routes as objects
from assets.peers import Projects
from assets.presigned import routes as presigned
from assets.presigned.sweep import Sweeper
from assets.settings import Settings
from assets.tus import routes as tus
from assets.types import BUCKET
from assets.uploads import routes as uploads
from assets.versions import routes as versions
from common import app
from common.settings import StorageSettings, load
from common.storage import Storage


def create_app() -> Litestar:
    """Build the service from its environment."""
    settings = load(Settings)
    storage = Storage(load(StorageSettings), watched=BUCKET)
    projects = Projects(settings)
    return app.build(
        "assets",
        settings,
        [
            library.router,
            library.internal,
            uploads.router,
            versions.router,
            collection.router,
            presigned.router,
            tus.router,
            delivery.router,
            objects.internal,
        ],
        subscriptions=[*library_events.SUBSCRIPTIONS, *collection_events.SUBSCRIPTIONS],
        dependencies={"means": Provide(provide_means)},
        parts=[
            projects,
            storage,
            Assembly(settings, storage, projects),
            Stock(settings),
            Sweeper(settings),
            Collector(settings),
        ],
    )
