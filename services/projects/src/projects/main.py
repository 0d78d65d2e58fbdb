"""The projects service: who owns which project, who may enter, and what is in it."""

from litestar import Litestar

from common import app
from common.settings import load
from projects.files import routes as files
from projects.lifecycle import routes as lifecycle
from projects.members import events
from projects.members import routes as members
from projects.peers import Peers
from projects.settings import Settings
from projects.templates import routes as templates
from projects.trash import routes as trash
from projects.trees import routes as trees


def create_app() -> Litestar:
    """Build the service from its environment."""
    settings = load(Settings)
    peers = Peers(settings)
    return app.build(
        "projects",
        settings,
        [
            lifecycle.router,
            lifecycle.access,
            trash.router,
            members.router,
            members.transfers,
            files.router,
            trees.router,
            trees.internal,
            templates.router,
        ],
        subscriptions=events.SUBSCRIPTIONS,
        dependencies={"settings": app.given(settings), "peers": app.given(peers)},
        parts=[peers],
    )
