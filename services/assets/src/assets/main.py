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
from assets.optimize import routes as optimizing
from assets.optimize import service as optimizer
from assets.peers import Projects
from assets.presigned import routes as presigned
from assets.presigned.sweep import Sweeper
from assets.previews import service as previews
from assets.settings import Settings
from assets.studio.hands import Hands
from assets.studio.pool import Studio
from assets.tus import routes as tus
from assets.types import BUCKET
from assets.uploads import routes as uploads
from assets.variants import routes as variants
from assets.versions import routes as versions
from common import app
from common.settings import StorageSettings, load
from common.storage import Storage


def create_app() -> Litestar:
    """Build the service from its environment."""
    settings = load(Settings)
    storage = Storage(load(StorageSettings), watched=BUCKET)
    projects = Projects(settings)
    studio = Studio(settings)
    thumbnails = Hands(
        "previews",
        previews.turn,
        count=settings.previews_at_once,
        every_s=settings.preview_poll_s,
    )
    jobs = Hands("jobs", optimizer.turn, count=settings.jobs_at_once, every_s=settings.job_poll_s)
    return app.build(
        "assets",
        settings,
        [
            library.router,
            delivery.internal,
            library.internal,
            uploads.router,
            versions.router,
            collection.router,
            presigned.router,
            tus.router,
            delivery.router,
            objects.internal,
            variants.router,
            optimizing.router,
        ],
        subscriptions=[*library_events.SUBSCRIPTIONS, *collection_events.SUBSCRIPTIONS],
        dependencies={"means": Provide(provide_means)},
        parts=[
            projects,
            storage,
            studio,
            Assembly(settings, storage, projects, studio),
            Stock(settings),
            Sweeper(settings),
            Collector(settings),
            thumbnails,
            jobs,
        ],
        settle=jobs.wake,
    )
