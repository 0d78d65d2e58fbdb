"""Callers, projects and files for the tests of assets."""

import asyncio
import hashlib
import shutil
import struct
import zlib
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest
from litestar import Litestar
from services.assets.tests.door import Door

from assets.main import create_app
from assets.means import Means
from assets.presigned.service import sweep
from assets.previews import service as previews
from assets.quarantine.listing import pages
from assets.tus import service as tus
from assets.types import BUCKET, quarantine_key
from common import multipart
from common.access import Access, learn
from common.ids import uuid7
from common.testing.processes import Process, free_port, process


class Client(httpx.AsyncClient):
    """Calls the service in this process, on this event loop."""

    def __init__(self, app: Litestar) -> None:
        self.app = app
        transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]  # Litestar's own types
        super().__init__(transport=transport, base_url="http://assets")


type Serving = Callable[..., AbstractAsyncContextManager[Client]]

SECRET = "s" * 32
GATEWAY = "http://localhost:8080"


def sha256(content: bytes) -> str:
    """The hash that an asset of that content has."""
    return hashlib.sha256(content).hexdigest()


def picture(width: int = 3, height: int = 2, filler: bytes = b"") -> bytes:
    """A PNG picture; ``filler`` makes it another one."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checked = kind + data
        return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = (b"\0" + b"\x7f" * 3 * width) * height if width * height < 10_000 else b""
    text = chunk(b"tEXt", b"Comment\0" + filler) if filler else b""
    body = chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + text + body + chunk(b"IEND", b"")


class Desk:
    """The service, and in one test its people, projects and files: nobody of another test."""

    png = staticmethod(picture)
    sha256 = staticmethod(sha256)

    def __init__(self, client: Client) -> None:
        self.client = client
        self.owner = uuid7()
        self.editor = uuid7()
        self.commenter = uuid7()
        self.viewer = uuid7()
        self.stranger = uuid7()

    def headers(self, user: UUID | None, **more: str) -> dict[str, str]:
        """What the gateway sends for a user."""
        identity = {"x-user-id": str(user)} if user else {}
        given = {name.replace("_", "-"): value for name, value in more.items()}
        return {"x-fleet-secret": SECRET, **identity, **given}

    async def project(self, *, is_public: bool = False) -> UUID:
        """Let there be a project of which the service heard."""
        project_id = uuid7()
        await self.access(project_id, is_public=is_public)
        return project_id

    async def access(
        self,
        project_id: UUID,
        *,
        version: int = 1,
        is_public: bool = False,
        is_deleted: bool = False,
        without: UUID | None = None,
    ) -> None:
        """Let the service hear who may do what, as of ``version``."""
        people = ("owner", "editor", "commenter", "viewer")
        roles = {str(getattr(self, role)): role for role in people}
        access = Access(
            resource_id=project_id,
            version=version,
            is_public=is_public,
            is_deleted=is_deleted,
            roles={user: role for user, role in roles.items() if user != str(without)},
        )
        await learn(self.client.app.state.db, access)

    async def call(
        self, method: str, path: str, user: UUID | None, *, json: Any = None, **headers: str
    ) -> httpx.Response:
        """Call a route as a user."""
        return await self.client.request(
            method, path, json=json, headers=self.headers(user, **headers), follow_redirects=False
        )

    async def upload(
        self,
        user: UUID,
        project: UUID | str,
        content: bytes,
        filename: str = "ball.png",
        content_type: str = "",
        **fields: str,
    ) -> httpx.Response:
        """Upload one file."""
        return await self.client.post(
            "/api/v1/assets/upload",
            headers=self.headers(user),
            data={"projectId": str(project), **fields},
            files={"file": (filename, content, content_type)},
        )

    async def version(
        self, user: UUID, asset_id: str, content: bytes, filename: str = "new.png", **headers: str
    ) -> httpx.Response:
        """Give an asset other bytes."""
        return await self.client.post(
            f"/api/v1/assets/{asset_id}/versions",
            headers=self.headers(user, **headers),
            files={"file": (filename, content)},
        )

    async def written(self, projects: Process, **files: str) -> UUID:
        """Let the projects service have a project of the owner's, with these files."""
        new = {"name": "Pong"}
        made = await projects.call("POST", "/api/v1/projects", self.owner, sends=new)
        project_id = UUID(made.json()["data"]["id"])
        for name, text in files.items():
            await self.write(projects, project_id, name, text)
        return project_id

    async def write(self, projects: Process, project_id: UUID, name: str, text: str) -> None:
        """Let a file of a project hold a text."""
        path = f"/api/v1/projects/{project_id}/files/{name}"
        put = await projects.call("PUT", path, self.owner, sends={"content": text})
        assert put.is_success, put.text

    async def batch(
        self, user: UUID, project: UUID, *files: tuple[str, bytes, str]
    ) -> httpx.Response:
        """Upload many files."""
        return await self.client.post(
            "/api/v1/assets/batch-upload",
            headers=self.headers(user),
            data={"projectId": str(project)},
            files=[("files", file) for file in files],
        )

    async def listed(self, project: UUID, query: str = "") -> list[dict[str, Any]]:
        """The assets that the owner sees."""
        answer = await self.call("GET", f"/api/v1/projects/{project}/assets?{query}", self.owner)
        found: list[dict[str, Any]] = answer.json()["data"]
        return found

    async def events(self, project: UUID) -> list[tuple[str, dict[str, Any]]]:
        """What was announced about the project, in its order."""
        pool = self.client.app.state.db._pool  # noqa: SLF001 - the outbox has no other reader
        rows = await pool.fetch(
            "SELECT subject, data::text FROM outbox WHERE key = $1 ORDER BY position", str(project)
        )
        return [(row["subject"], msgspec.json.decode(row["data"])) for row in rows]

    async def expire(self, upload_id: str, *, ago_s: int) -> None:
        """Let an upload have expired so long ago."""
        pool = self.client.app.state.db._pool  # noqa: SLF001 - time cannot be waited for
        for table in ("upload", "resumable"):
            await pool.execute(
                f"UPDATE {table} SET expires_at = now() - make_interval(secs => $1) WHERE id = $2",  # noqa: S608 - either of the two above
                ago_s,
                upload_id,
            )

    async def sweep(self) -> None:
        """Sweep until nothing is left to do."""
        while await sweep(self.means()) or await tus.sweep(self.means()):
            pass

    async def unfinished(self, upload_id: str) -> bool:
        """Whether the store holds parts of an upload that is neither whole nor aborted."""
        waiting = multipart.unfinished(self.means().storage, BUCKET)
        return any([upload_id in made.key async for made, _ in waiting])

    async def quarantined(self, upload_id: str) -> list[str]:
        """What is in quarantine of an upload."""
        key = quarantine_key(UUID(upload_id))
        return [found async for page in pages(self.means(), key) for found in page]

    async def preview(self) -> None:
        """Make every thumbnail that is wanted."""
        while await previews.turn(self.means()):
            pass

    def means(self) -> Means:
        """What the service works with."""
        means: Means = self.client.app.state.means
        return means


@pytest.fixture(scope="session")
def environment(service_env: Callable[[str], dict[str, str]], projects_port: int) -> dict[str, str]:
    """What the service is told in these tests."""
    return service_env("assets") | {
        "FLEET_SECRET": SECRET,
        "S3_PUBLIC_URL": GATEWAY,
        "GATEWAY_URL": GATEWAY,
        "ACCESS_LOG": "false",
        "IMAGE_PIXELS_MAX": "1000000",
        "PART_BYTES_MIN": "5242880",
        "SWEEP_EVERY_S": "3600",
        "COLLECT_EVERY_S": "3600",
        "PROJECTS_URL": f"http://127.0.0.1:{projects_port}",
        "PREVIEWS_AT_ONCE": "0",
    }


@pytest.fixture(scope="session")
def projects_port() -> int:
    """Where the projects service of these tests is."""
    return free_port()


@pytest.fixture(scope="session")
async def projects(
    service_env: Callable[[str], dict[str, str]], projects_port: int
) -> AsyncGenerator[Process]:
    """The projects service, which knows what stands in a project's files."""
    own = {"FLEET_SECRET": SECRET, "PORT": str(projects_port), "ACCESS_LOG": "false"}
    async with process("projects.main:create_app", service_env("projects") | own) as running:
        yield running


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
async def client(serving: Serving, projects: Process) -> AsyncGenerator[Client]:
    """The service as it is, beside the one that it asks."""
    assert await projects.is_ready()
    async with serving() as client:
        yield client


@pytest.fixture
def desk(client: Client) -> Desk:
    """The service, and people and projects of this test alone."""
    return Desk(client)


@pytest.fixture(scope="session")
async def store(environment: dict[str, str]) -> AsyncGenerator[Callable[..., Any]]:
    """Follow a presigned URL as the gateway does: to the store, with the Host as signed."""
    async with httpx.AsyncClient(base_url=environment["S3_ENDPOINT_URL"]) as client:

        async def follow(method: str, url: str, **more: Any) -> httpx.Response:
            signed = httpx.URL(url)
            headers = {"host": signed.netloc.decode(), **more.pop("headers", {})}
            target = signed.raw_path.decode()
            return await client.request(method, target, headers=headers, **more)

        yield follow


@pytest.fixture(scope="session")
async def service(environment: dict[str, str]) -> AsyncGenerator[Process]:
    """The service as a process of its own, which may be killed and started again."""
    async with process(
        "assets.main:create_app", environment | {"LEASE_S": "1", "PORT": "0"}
    ) as started:
        yield started


@pytest.fixture
async def behind_a_door(environment: dict[str, str]) -> AsyncGenerator[tuple[Process, Door]]:
    """The service as a process of its own, and its way to the object store."""
    there = httpx.URL(environment["S3_ENDPOINT_URL"])
    door = Door(there.port or 80)
    server = await asyncio.start_server(door.enter, "127.0.0.1", 0)
    door.port = server.sockets[0].getsockname()[1]
    told = {
        "S3_ENDPOINT_URL": f"http://127.0.0.1:{door.port}",
        "S3_TIMEOUT_S": "0.5",
        "S3_ATTEMPTS_MAX": "1",
        "LEASE_S": "1",
        "PORT": "0",
    }
    try:
        async with process("assets.main:create_app", environment | told) as started:
            yield started, door
    finally:
        server.close()
        door.shut()


class Node(msgspec.Struct, frozen=True):
    """Node, and the folder with what the lock of ``npm`` names."""

    program: str
    folder: Path


@pytest.fixture(scope="session")
async def node() -> Node:
    """Node, with what the lock of ``npm`` names."""
    program, npm = shutil.which("node"), shutil.which("npm")
    assert program is not None
    assert npm is not None
    here = Path(__file__).parent / "npm"
    if not (here / "node_modules").exists():
        installing = await asyncio.create_subprocess_exec(npm, "ci", cwd=here)
        assert await installing.wait() == 0
    return Node(program, here)
