"""How a service is put together: one call, so that six services differ only in what is theirs."""

import asyncio
import gc
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol

import structlog
from litestar import Litestar, Request
from litestar.datastructures import State
from litestar.di import Provide
from litestar.enums import RequestEncodingType
from litestar.openapi import OpenAPIConfig
from litestar.params import BodyKwarg
from litestar.types import ControllerRouterHandler
from litestar.typing import FieldDefinition

from common import errors, health, telemetry
from common.bus import Bus, Listener, Subscription
from common.cache import Cache
from common.caller import provide_caller
from common.database import Database
from common.edge import Edge
from common.relay import Relay
from common.settings import Settings

log = structlog.get_logger()

_GC_THRESHOLD = (50_000, 50, 100)


class Part(Protocol):
    """What a service adds to its life: opened when all else stands, closed before it falls."""

    async def open(self, app: Litestar) -> None:
        """Start."""

    async def close(self) -> None:
        """Stop."""


def given(value: object) -> Provide:
    """Let a route have ``value`` under the name it is given."""

    async def provide() -> Any:  # noqa: ANN401 - whatever the service gives
        return value

    return Provide(provide, use_cache=True)


def build(
    name: str,
    settings: Settings,
    routers: Sequence[ControllerRouterHandler],
    *,
    subscriptions: Sequence[Subscription[Any]] = (),
    dependencies: dict[str, Provide] | None = None,
    parts: Sequence[Part] = (),
    settle: Callable[[], Awaitable[None]] | None = None,
) -> Litestar:
    """Give ``routers`` a database, a caller, the envelope, health, the relay and a listener.

    ``settle`` is awaited before an answer that ``exchange.unsettle`` was called for.
    ``app.state`` has ``settings``, ``db``, ``bus``, ``cache``, ``relay`` and ``watch``.
    """
    telemetry.configure(name, settings.log_level)
    bus = Bus(name, settings.nats_url, settings.nats_user, settings.nats_password)
    relay = Relay(
        name,
        settings.database_url,
        bus,
        poll_s=settings.relay_poll_s,
        kept_days=settings.outbox_kept_days,
    )
    cache = Cache(name, settings.redis_url)
    state = State({"settings": settings, "bus": bus, "relay": relay, "cache": cache})

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncGenerator[None]:
        db = await _database(settings)
        app.state.db = db
        app.state.watch = _watch(db, bus, cache)
        tasks = [_background(bus.run()), _background(relay.run())]
        if subscriptions:
            listener = Listener(name, bus, db, subscriptions, retry_s=settings.event_retry_s)
            tasks.append(_background(listener.run()))
        for part in parts:
            await part.open(app)
        _freeze()
        try:
            yield
        finally:
            for part in reversed(parts):
                await part.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await cache.close()
            await db.close()

    app = Litestar(
        route_handlers=[health.live, health.ready, *routers],
        dependencies={
            "db": Provide(_provide_database),
            "caller": Provide(provide_caller),
            **(dependencies or {}),
        },
        exception_handlers=errors.HANDLERS,
        before_request=_json_only,
        lifespan=[lifespan],
        state=state,
        request_max_body_size=settings.body_bytes_max,
        # the process has set up its logs; the framework's would add libraries' lines, not in JSON
        logging_config=None,
        openapi_config=OpenAPIConfig(
            title=name, version="1", path="/internal/openapi", use_handler_docstrings=True
        ),
    )
    # outermost, so that what the router refuses has its ids, its timing and its line in the log too
    app.asgi_handler = Edge(
        app.asgi_handler,
        secret=settings.fleet_secret,
        log=settings.access_log,
        announced=relay.wake,
        unread_bytes_max=settings.unread_bytes_max,
        settle=settle,
    )
    return app


async def _json_only(request: Request[object, object, State]) -> None:
    """A body that is decoded as JSON says that it is: a form on another site cannot."""
    wanted = request.route_handler.parsed_data_field
    if wanted is None or _media_type(wanted) != RequestEncodingType.JSON:
        return
    given_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given_type != RequestEncodingType.JSON:
        raise errors.UnsupportedMediaTypeError("Send application/json.")


def _media_type(field: FieldDefinition) -> str:
    wanted = field.kwarg_definition
    return wanted.media_type if isinstance(wanted, BodyKwarg) else RequestEncodingType.JSON


async def _provide_database(state: State) -> Database:
    db: Database = state.db
    return db


async def _database(settings: Settings) -> Database:
    return await Database.connect(
        settings.database_url,
        pool_size=settings.pool_size,
        wait_s=settings.pool_wait_s,
        statement_s_max=settings.statement_s_max,
    )


def _watch(db: Database, bus: Bus, cache: Cache) -> health.Watch:
    watch = health.Watch(db)

    async def nats() -> bool:
        return bus.is_connected

    watch.add("nats", nats)
    watch.add("redis", cache.answers)
    return watch


def _background(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    task = asyncio.get_running_loop().create_task(work)
    task.add_done_callback(_report)
    return task


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (exc := task.exception()) is not None:
        log.error("background_task_died", exc_info=exc)


def _freeze() -> None:
    """What lives as long as the process is not looked at by the collector again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLD)
