"""The builds service: what is queued, what became of it, its log, its files, and the game."""

from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide

from builds import toolchain
from builds.artifacts import routes as artifacts
from builds.logs import routes as logs
from builds.means import Means
from builds.metrics import routes as metrics
from builds.objects import routes as objects
from builds.peers import Peers
from builds.places import BUCKET
from builds.play import routes as play
from builds.runs import events
from builds.runs import routes as runs
from builds.settings import Settings
from builds.wakes import Wakes
from common import app
from common.settings import StorageSettings, load
from common.storage import Storage


def create_app() -> Litestar:
    """Build the service from its environment."""
    settings = load(Settings)
    storage = Storage(load(StorageSettings), watched=BUCKET)
    peers = Peers(settings, timeout_s=settings.pin_timeout_s)
    wakes = Wakes()
    tools = toolchain.digest(toolchain.find(settings))

    async def means(state: State) -> Means:
        return Means(state.db, settings, peers, storage, wakes, state.watch, tools)

    return app.build(
        "builds",
        settings,
        [runs.router, logs.router, artifacts.router, play.router, objects.internal, metrics.show],
        subscriptions=events.SUBSCRIPTIONS,
        dependencies={"means": Provide(means, use_cache=False)},
        parts=[peers, storage, wakes],
    )
