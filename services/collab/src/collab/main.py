"""The collab service: live documents and project rooms. One process, two ports."""

import sys

import uvloop
from litestar import Litestar

from collab import events
from collab.chat import routes as chat
from collab.comments import routes as comments
from collab.documents import routes as documents
from collab.nodes import Node
from collab.peers import Projects
from collab.rooms import routes as rooms
from collab.rooms.hall import Hall
from collab.settings import Settings
from common import app
from common.serve import serve
from common.settings import SettingsError, load


def create_app() -> Litestar:
    """Build the service from its environment; its sockets live and end with it."""
    settings = load(Settings)
    projects = Projects(settings)
    hall = Hall(settings)
    return app.build(
        "collab",
        settings,
        [documents.router, rooms.router, rooms.room, chat.router, comments.router],
        subscriptions=events.SUBSCRIPTIONS,
        dependencies={"projects": app.given(projects), "hall": app.given(hall)},
        parts=[projects, Node(settings, projects, hall)],
    )


def main() -> None:
    """Serve until SIGTERM."""
    try:
        application = create_app()
    except SettingsError as exc:
        sys.exit(str(exc))
    uvloop.run(serve(application))


if __name__ == "__main__":
    main()
