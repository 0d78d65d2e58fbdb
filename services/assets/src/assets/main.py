"""The assets service: the library of each project, and the bytes in it."""

from litestar import Litestar
from litestar.di import Provide

from assets.delivery import routes as delivery
from assets.library import events
from assets.library import routes as library
from assets.means import Assembly, provide_means
from assets.objects import routes as objects
from assets.peers import Projects
from assets.presigned import routes as presigned
from assets.presigned.sweep import Sweeper
from assets.settings import Settings
from assets.studio.pool import Studio
from assets.types import BUCKET
from assets.uploads import routes as uploads
from common import app
from common.settings import StorageSettings, load
from common.storage import Storage


def create_app() -> Litestar:
    """Build the service from its environment."""
    settings = load(Settings)
    storage = Storage(load(StorageSettings), watched=BUCKET)
    projects = Projects(settings)
    studio = Studio(settings)
    return app.build(
        "assets",
        settings,
        [
            library.router,
            library.internal,
            uploads.router,
            presigned.router,
            delivery.router,
            objects.internal,
        ],
        subscriptions=events.SUBSCRIPTIONS,
        dependencies={"means": Provide(provide_means)},
        parts=[
            projects,
            storage,
            studio,
            Assembly(settings, storage, projects, studio),
            Sweeper(settings),
        ],
    )
