"""What a service is made of, as its own process tells: routes, subscriptions, failures.

``python -m tests.architecture.applications <service>`` puts the service together, connects it to
nothing, and prints this. Each is asked in a process of its own, because no process ever holds two.
"""

import importlib
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from types import ModuleType
from typing import Any
from unittest import mock

import msgspec
from litestar import Litestar
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.routes import HTTPRoute
from litestar.status_codes import HTTP_201_CREATED

from common import app
from common.errors import ServiceError
from common.idempotency import Keyed
from tests.architecture.layout import ROOT

# what the settings require; a description of a service connects to none of it
ENVIRONMENT = {
    "DATABASE_URL": "postgresql://localhost/none",
    "FLEET_SECRET": "none",
    "NATS_URL": "nats://localhost:1",
    "S3_ENDPOINT_URL": "http://localhost:1",
    "S3_ACCESS_KEY": "none",
    "S3_SECRET_KEY": "none",
    "KEY_ENCRYPTION_KEY": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "PLAY_SECRET": "none",
    "SOCKET_PORT": "1",
}


class Route(msgspec.Struct, frozen=True):
    """A path, and what its handler declares: of its ``needs``, what was declared at all."""

    path: str
    name: str
    declared: dict[str, str | bool | None]
    # whether it answers that something was made, and whether it may be repeated with a key
    creates: bool = False
    is_keyed: bool = False


class Facts(msgspec.Struct, frozen=True):
    """What there is to know of a service."""

    routes: list[Route]
    subscriptions: list[str]
    # code to status
    failures: dict[str, int]


@cache
def facts(service: str) -> Facts:
    """Ask a service's own process."""
    command = (sys.executable, "-m", __name__, service)
    made = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, check=False)  # noqa: S603 - this module, in a process of its own
    assert made.returncode == 0, made.stderr.decode()[-3000:]
    return msgspec.json.decode(made.stdout, type=Facts)


def _facts(service: str) -> Facts:
    heard: list[str] = []
    build = app.build

    def watched(*args: Any, **named: Any) -> Litestar:
        heard.extend(s.event.subject for s in named.get("subscriptions", ()))
        return build(*args, **named)

    with mock.patch.object(app, "build", watched):
        made = importlib.import_module(f"{service}.main").create_app()
    raised = {error.code: error.status for error in _family(ServiceError, service)}
    return Facts(list(_routes(made)), heard, raised)


def _routes(made: Litestar) -> Iterator[Route]:
    for route in made.routes:
        if isinstance(route, HTTPRoute):
            # Litestar answers OPTIONS by itself
            own = [h for h in route.route_handlers if set(h.http_methods) != {"OPTIONS"}]
            yield from (_route(route.path, handler) for handler in own)
        else:
            yield _route(route.path, route.route_handler)


def _route(path: str, handler: BaseRouteHandler) -> Route:
    declared: dict[str, str | bool | None]
    declared = {k: handler.opt[k] for k in ("scope", "anonymous", "rate") if k in handler.opt}
    if not isinstance(handler, HTTPRouteHandler):
        return Route(path, handler.handler_name, declared)
    creates = handler.http_methods == {"POST"} and handler.status_code == HTTP_201_CREATED
    is_keyed = Keyed in tuple(handler.middleware or ())
    return Route(path, handler.handler_name, declared, creates, is_keyed)


def _family(error: type[ServiceError], service: str) -> set[type[ServiceError]]:
    for package in ("common", service):
        for _ in modules(package):
            pass
    found = {error}
    for child in error.__subclasses__():
        found |= _family(child, service)
    return found


def modules(package: str) -> Iterator[ModuleType]:
    """Import all of a package but its migrations."""
    root = importlib.import_module(package)
    yield root
    for found in pkgutil.walk_packages(root.__path__, f"{package}."):
        if "migrations" not in found.name:
            yield importlib.import_module(found.name)


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(_facts(sys.argv[1])))
