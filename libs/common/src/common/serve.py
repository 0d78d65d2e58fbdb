"""One service, one process: granian inside our own loop, so that signals are ours.

``python -m common.serve projects.main:create_app``. On SIGTERM the service first says that it is
draining (so that the gateway sends no more), serves what still comes, and then stops.
"""

import asyncio
import importlib
import os
import signal
import sys
from collections.abc import Callable

import structlog
import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.errors import FatalError
from granian.server.embed import Server
from litestar import Litestar

from common.settings import Settings, SettingsError

log = structlog.get_logger()

_BACKLOG = 4096


def main() -> None:
    """Serve the application that the first argument names."""
    module, _, attribute = sys.argv[1].partition(":")
    create: Callable[[], Litestar] = getattr(importlib.import_module(module), attribute)
    try:
        app = create()
    except SettingsError as exc:
        sys.exit(str(exc))
    uvloop.run(serve(app))


async def serve(app: Litestar) -> None:
    """Serve until SIGTERM or SIGINT, then drain."""
    settings: Settings = app.state.settings
    server = Server(
        app,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        backlog=_BACKLOG,
        log_enabled=False,
        websockets=False,
    )
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    serving = loop.create_task(server.serve())
    stopped = loop.create_task(stopping.wait())
    await asyncio.wait({serving, stopped}, return_when=asyncio.FIRST_COMPLETED)
    if not serving.done():
        app.state.watch.is_draining = True
        await asyncio.sleep(settings.drain_seconds)
        server.stop()  # type: ignore[no-untyped-call]  # granian leaves it untyped
    stopped.cancel()
    try:
        await serving
    except FatalError as exc:
        log.critical("not_serving", error=str(exc))
        sys.stdout.flush()
        # a server that could not start leaves a thread behind, which would be waited for for ever
        os._exit(1)


if __name__ == "__main__":
    main()
