"""A worker: takes builds from the queue and does them. Any number of them, on any machine.

``python -m builds.worker``. It answers ``/health/live`` and ``/health/ready`` on its port, and is
not ready where nothing can be built safely.
"""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import structlog
import uvloop
from litestar import Litestar
from litestar.datastructures import State

from builds import toolchain
from builds.logs import masking
from builds.logs.masking import Mask
from builds.metrics import routes as metrics
from builds.peers import Peers
from builds.pipeline.context import Workshop, leave, workshop
from builds.sandbox import choice
from builds.sandbox.types import UnavailableSandboxError
from builds.settings import Settings
from builds.upkeep import janitor
from builds.work import dead
from builds.work.one import Bench
from builds.work.queue import Queue
from common import health, telemetry
from common.bus import Bus
from common.database import Database
from common.health import Watch
from common.ids import uuid7
from common.serve import serve
from common.settings import SettingsError, StorageSettings, load
from common.storage import Storage

log = structlog.get_logger()

# the worker's own share of a busy machine; its tools step back further
_NICENESS = 10


def create_app() -> Litestar:
    """Build the worker from its environment: an application that only tells how it is."""
    settings = load(Settings)
    storage_settings = load(StorageSettings)
    telemetry.configure("builds-worker", settings.log_level)

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncGenerator[None]:
        storage = Storage(storage_settings)
        await storage.open()
        try:
            mask = masking.of(settings, storage_settings)
            async with _working(app, settings, storage, mask):
                yield
        finally:
            await storage.close()

    return Litestar(
        route_handlers=[health.live, health.ready, metrics.show],
        lifespan=[lifespan],
        state=State({"settings": settings}),
        openapi_config=None,
        # a client's own lines would have signed addresses in them
        logging_config=None,
    )


@asynccontextmanager
async def _working(
    app: Litestar, settings: Settings, storage: Storage, mask: Mask
) -> AsyncGenerator[None]:
    db = await Database.connect(
        settings.database_url,
        pool_size=settings.pool_size,
        wait_s=settings.pool_wait_s,
        statement_s_max=settings.statement_s_max,
    )
    bus = Bus("builds-worker", settings.nats_url, settings.nats_user, settings.nats_password)
    peers = Peers(settings, timeout_s=settings.fetch_timeout_s)
    shop = await _shop(settings)
    app.state.watch = _watch(db, bus, shop)
    tools = await asyncio.to_thread(toolchain.digest, toolchain.find(settings))
    bench = Bench(uuid7(), settings, db, bus, peers, storage, shop, tools, mask)
    queue = Queue(bench)
    loop = asyncio.get_running_loop()
    tasks = [loop.create_task(bus.run()), loop.create_task(janitor.run(bench))]
    await dead.heed(bus)
    queue.start()
    try:
        yield
    finally:
        await queue.stop()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if not isinstance(shop, str):
            leave(shop)
        await peers.close()
        await db.close()


async def _shop(settings: Settings) -> Workshop | str:
    try:
        sandbox = choice.chosen(settings)
        shop = workshop(settings, sandbox)
        await sandbox.prepare()
    except UnavailableSandboxError as exc:
        log.error("sandbox_unavailable", sandbox=settings.sandbox, reason=str(exc))  # noqa: TRY400 - the reason says it all
        return f"SANDBOX={settings.sandbox}: {exc}"
    missing = [str(tool) for tool in (shop.tsc, shop.esbuild) if not tool.exists()]
    if missing:
        log.error("toolchain_missing", tools=missing)
        return f"The toolchain is not installed: {', '.join(missing)}."
    return shop


def _watch(db: Database, bus: Bus, shop: Workshop | str) -> Watch:
    watch = Watch(db)

    async def nats() -> bool:
        return bus.is_connected

    async def sandbox() -> bool:
        return not isinstance(shop, str)

    watch.add("nats", nats)

    async def isolation() -> bool:
        return not isinstance(shop, str) and not shop.sandbox.warning

    watch.add("sandbox", sandbox, is_required=True)
    # a worker that was told to do without goes on, and is seen to
    watch.add("isolation", isolation)
    return watch


def main() -> None:
    """Work until SIGTERM."""
    try:
        app = create_app()
    except SettingsError as exc:
        sys.exit(str(exc))
    # whoever asks the machine for something else waits for less than a build
    os.nice(_NICENESS)
    uvloop.run(serve(app))


if __name__ == "__main__":
    main()
