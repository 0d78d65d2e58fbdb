"""A service in the process of its tests: called without a network, alive as in production."""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from uuid import UUID

import httpx
from litestar import Litestar

from common.database import Database

type Serving = Callable[..., AbstractAsyncContextManager[Client]]


class Client(httpx.AsyncClient):
    """Calls an application on this event loop, as the gateway would."""

    def __init__(self, app: Litestar) -> None:
        self.app = app
        transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]  # Litestar's own types
        super().__init__(transport=transport, base_url="http://service")

    @property
    def db(self) -> Database:
        """The service's database."""
        db: Database = self.app.state.db
        return db

    @property
    def secret(self) -> str:
        """The fleet's secret, as the service was told."""
        secret: str = self.app.state.settings.fleet_secret
        return secret

    async def call(
        self,
        method: str,
        path: str,
        user: UUID | None = None,
        /,
        *,
        sends: object = None,
        **headers: str,
    ) -> httpx.Response:
        """Call a route as ``user``; ``x_auth_role="admin"`` is a header. Nothing is followed."""
        given = identity(self.secret, user, **headers)
        return await self.request(method, path, headers=given, json=sends)


def identity(secret: str, user: UUID | None = None, /, **more: str) -> dict[str, str]:
    """What the gateway says of a request: the fleet's secret, who calls, and whatever else."""
    who = {"x-user-id": str(user)} if user else {}
    given = {name.replace("_", "-"): value for name, value in more.items()}
    return {"x-fleet-secret": secret, **who, **given}


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Let the process have these variables for a while."""
    before = dict(os.environ)  # noqa: TID251 - the settings of an application are read from there
    os.environ.update(values)  # noqa: TID251 - likewise
    try:
        yield
    finally:
        os.environ.clear()  # noqa: TID251 - likewise
        os.environ.update(before)  # noqa: TID251 - likewise


@asynccontextmanager
async def alive(app: Litestar) -> AsyncGenerator[Client]:
    """Let a service live in a task of its own: a fixture's two halves are different tasks."""
    started, stopping = asyncio.Event(), asyncio.Event()

    async def live() -> None:
        async with app.lifespan():
            started.set()
            await stopping.wait()

    living = asyncio.create_task(live())
    waiting = asyncio.create_task(started.wait())
    await asyncio.wait({living, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    try:
        async with Client(app) as client:
            yield client
    finally:
        stopping.set()
        await living


def serving(create: Callable[[], Litestar], values: Mapping[str, str]) -> Serving:
    """Return what runs the service in this process, with some of its settings changed."""

    @asynccontextmanager
    async def serve(**other: str) -> AsyncGenerator[Client]:
        with environment({**values, **other}):
            app = create()
        async with alive(app) as client:
            yield client

    return serve
