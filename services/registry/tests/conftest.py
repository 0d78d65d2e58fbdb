"""The registry in this process, and templates that belong to one test alone."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest
from litestar import Litestar

from common.ids import uuid7
from common.settings import load
from registry.main import create_app
from registry.seed import seed
from registry.settings import Settings


class Client(httpx.AsyncClient):
    """Calls the service in this process, on this event loop."""

    def __init__(self, app: Litestar) -> None:
        self.app = app
        transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]  # Litestar's own types
        super().__init__(transport=transport, base_url="http://registry")


type Serving = Callable[..., AbstractAsyncContextManager[Client]]

PIXEL = b"\x89PNG\r\n\x1a\n\x00not much of a picture"


def described(slug: str, **more: Any) -> dict[str, Any]:
    """What a ``template.json`` says."""
    return {
        "id": slug,
        "name": f"The {slug}",
        "description": "A start.",
        "version": "1.0.0",
        "licence": "Apache-2.0",
        "engine": "canvas",
        "language": "typescript",
        "tags": ["2d"],
    } | more


def written(root: Path, slug: str, files: dict[str, bytes], **more: Any) -> Path:
    """Write a template's folder."""
    folder = root / slug
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (folder / "template.json").write_bytes(msgspec.json.encode(described(slug, **more)))
    return folder


class Desk:
    """The service, and in one test its templates: nobody sees those of another test."""

    pixel = PIXEL

    def __init__(self, client: Client, root: Path, environment: dict[str, str]) -> None:
        self.client = client
        self.root = root
        self.environment = environment
        self.mark = uuid7().hex[-12:]

    def slug(self, name: str) -> str:
        """A slug that no other test has."""
        return f"{name}-{self.mark}"

    def write(self, what: str, files: dict[str, bytes] | None = None, **more: Any) -> str:
        """Write a template's folder; return its slug."""
        slug = self.slug(what)
        given = {"index.html": b"<title>Here</title>"} if files is None else files
        written(self.root, slug, given, **{"tags": [self.mark], **more})
        return slug

    async def seed(self) -> list[str]:
        """Publish what was written."""
        return await seed(load(Settings, self.environment), self.root)

    async def call(
        self, path: str, *, user: UUID | None = None, trusted: bool = True, **headers: str
    ) -> httpx.Response:
        """Read a path as the gateway passes it on, or as another service asks."""
        secret = {"x-fleet-secret": self.environment["FLEET_SECRET"]} if trusted else {}
        identity = {"x-user-id": str(user)} if user else {}
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.get(path, headers=secret | identity | given)

    async def listed(self, query: str = "") -> httpx.Response:
        """List this test's templates."""
        return await self.call(f"/api/v1/templates?tag={self.mark}&{query}")

    async def shown(self, name: str) -> dict[str, Any]:
        """Show a template."""
        answer = await self.call(f"/api/v1/templates/{name}")
        assert answer.status_code == 200, answer.text
        data: dict[str, Any] = answer.json()["data"]
        return data

    async def events(self, template_id: str) -> list[tuple[str, dict[str, Any]]]:
        """What was announced about a template, in its order."""
        rows = await self._fetch(
            "SELECT subject, data::text FROM outbox WHERE key = $1 ORDER BY position", template_id
        )
        return [(row["subject"], msgspec.json.decode(row["data"])) for row in rows]

    async def trees(self, slug: str) -> int:
        """How many trees there are with a file that has this slug in its path."""
        rows = await self._fetch(
            "SELECT DISTINCT tree_hash FROM tree_file WHERE path LIKE $1", f"%{slug}%"
        )
        return len(rows)

    async def _fetch(self, statement: str, *values: object) -> list[Any]:
        pool = self.client.app.state.db._pool  # noqa: SLF001 - what is asked has no other reader
        found: list[Any] = await pool.fetch(statement, *values)
        return found


@asynccontextmanager
async def alive(app: Litestar) -> AsyncGenerator[None]:
    """Let the service live in a task of its own: a fixture's two halves are different tasks."""
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
        yield
    finally:
        stopping.set()
        await living


@pytest.fixture(scope="session")
def environment(service_env: Callable[[str], dict[str, str]]) -> dict[str, str]:
    """What the service is told, with the stores that the tests run against."""
    return service_env("registry") | {"ACCESS_LOG": "false"}


@pytest.fixture(scope="session")
def serving(environment: dict[str, str]) -> Serving:
    """Run the service in this process, with some of its settings changed."""

    @asynccontextmanager
    async def serving(**other: str) -> AsyncGenerator[Client]:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in (environment | other).items():
                patch.setenv(name, value)
            app = create_app()
        async with alive(app), Client(app) as client:
            yield client

    return serving


@pytest.fixture(scope="session")
async def client(serving: Serving) -> AsyncGenerator[Client]:
    """The service as it is."""
    async with serving() as client:
        yield client


@pytest.fixture
def desk(client: Client, tmp_path: Path, environment: dict[str, str]) -> Desk:
    """The service, and templates of this test alone."""
    return Desk(client, tmp_path, environment)


@pytest.fixture
def write() -> Callable[..., Path]:
    """Write a template's folder, without a service."""
    return written
