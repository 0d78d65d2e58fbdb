"""The registry service: what projects can start from."""

from litestar import Litestar

from common import app
from common.settings import load
from registry import events
from registry.settings import Settings
from registry.templates import routes as templates


def create_app() -> Litestar:
    """Build the service from its environment."""
    settings = load(Settings)
    return app.build(
        "registry",
        settings,
        [templates.router, templates.internal],
        subscriptions=events.SUBSCRIPTIONS,
        dependencies={"settings": app.given(settings)},
    )
