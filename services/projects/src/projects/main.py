"""The projects service: who owns which project, who may enter, and what is in it."""

from litestar import Litestar
from litestar.di import Provide

from common import app
from common.settings import StorageSettings, load
from common.storage import Storage
from projects.archives import routes as archives
from projects.archives.turns import Turns
from projects.checkpoints import routes as checkpoints
from projects.contents.sweep import Sweeper
from projects.copies import routes as copies
from projects.copies.service import WORKS
from projects.files import routes as files
from projects.history import routes as history
from projects.invitations import routes as invitations
from projects.jobs import routes as jobs
from projects.jobs.runner import Runner
from projects.lifecycle import routes as lifecycle
from projects.live import holding
from projects.live import routes as live
from projects.means import Assembly, provide_means
from projects.members import events
from projects.members import routes as members
from projects.mentions import routes as mentions
from projects.peers import Peers
from projects.settings import Settings
from projects.sharing import routes as sharing
from projects.templates import routes as templates
from projects.trash import routes as trash
from projects.trees import routes as trees
from projects.usage import routes as usage


def create_app() -> Litestar:
    """Build the service from its environment."""
    settings = load(Settings)
    peers = Peers(settings)
    storage = Storage(load(StorageSettings))
    runner = Runner(settings, WORKS)

    async def settle() -> None:
        await runner.wake()
        await holding.release_all()

    return app.build(
        "projects",
        settings,
        [
            lifecycle.router,
            lifecycle.access,
            trash.router,
            members.router,
            members.transfers,
            invitations.router,
            invitations.acceptance,
            sharing.router,
            sharing.shared,
            files.router,
            history.router,
            checkpoints.router,
            trees.router,
            trees.internal,
            live.internal,
            mentions.internal,
            usage.router,
            templates.router,
            copies.router,
            archives.router,
            jobs.router,
        ],
        subscriptions=events.SUBSCRIPTIONS,
        dependencies={
            "settings": app.given(settings),
            "peers": app.given(peers),
            "means": Provide(provide_means),
            "turns": app.given(Turns(settings)),
        },
        parts=[peers, storage, Assembly(settings, storage, peers), Sweeper(settings), runner],
        settle=settle,
    )
