"""The builds service and a worker as processes of their own, beside the real services they ask."""

import asyncio
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest

from builds.packagers.types import About, Game, Icon
from builds.pipeline.context import Rooms
from common.access import Access, learn
from common.database import Database
from common.ids import uuid7
from common.testing.processes import free_port

_READY_S = 60.0
_STOP_S = 30.0
# everything that is waited for happens sooner here than in earnest
_HASTE = {
    # whatever machine this is
    "BUILDS_AT_ONCE": "2",
    "LEASE_BEAT_S": "0.3",
    "LEASE_LOST_S": "2",
    "JANITOR_EVERY_S": "0.3",
    "HANDING_BACK_S": "0.3",
    "LOG_HEARTBEAT_S": "0.5",
    "RETRY_PAUSE_S": "0.1",
    "ACCESS_LOG": "false",
    # the library is everybody's here: pictures would be made that tests of it do not wait for
    "PREVIEWS_AT_ONCE": "0",
}
# a type that the compiler computes for a good while, a piece of it for each of many
_SLOW = (
    "type R<T, N extends number, A extends unknown[] = []> ="
    " A['length'] extends N ? [T, A['length']] : R<T, N, [...A, unknown]>;\n"
)
_PAGE = '<!doctype html><body><script type="module" src="src/main.ts"></script></body>'


def _slow(pieces: int) -> dict[str, str]:
    """A project whose type check takes about 60 ms of a processor for each piece."""
    lines = [f"export const v{i}: R<'t{i}', 900> = ['t{i}', 900];\n" for i in range(pieces)]
    return {"index.html": _PAGE, "src/main.ts": _SLOW + "".join(lines)}


class Company:
    """Processes: the projects and assets services, builds, and a worker."""

    def __init__(self, env: Callable[[str], dict[str, str]], logs: Path) -> None:
        self._env = env
        self._logs = logs
        # of its own: other tests run services on the stores' ports
        self._ports = {name: free_port() for name in ("projects", "assets", "builds", "worker")}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self.builds_env = self.environment("builds")

    def environment(self, name: str) -> dict[str, str]:
        """What a process is told."""
        service = "builds" if name.startswith("worker") else name
        port = self._ports.setdefault(name, free_port())
        near = {
            f"{other.upper()}_URL": f"http://127.0.0.1:{self._ports[other]}"
            for other in ("projects", "assets", "builds")
        }
        return self._env(service) | _HASTE | near | {"PORT": str(port)}

    def url(self, name: str) -> str:
        """Where a process answers."""
        return f"http://127.0.0.1:{self.environment(name)['PORT']}"

    def start(self, name: str, *, wait: bool = True, **other: str) -> None:
        """Start a process; it is ready when this returns."""
        is_worker = name.startswith("worker")
        words = ["builds.worker"] if is_worker else ["common.serve", f"{name}.main:create_app"]
        with (self._logs / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(  # noqa: S603 - our own words
                [sys.executable, "-m", *words],
                env=self.environment(name) | other,
                stdout=log,
                stderr=log,
            )
        if wait:
            self._until_ready(name)

    def _until_ready(self, name: str) -> None:
        until = time.monotonic() + _READY_S
        while time.monotonic() < until:
            if self.health(name) == httpx.codes.OK:
                return
            time.sleep(0.1)
        raise AssertionError((self._logs / f"{name}.log").read_text()[-2000:])

    def health(self, name: str) -> int:
        """What a process says of its readiness; 0 where it does not answer."""
        try:
            return httpx.get(f"{self.url(name)}/health/ready").status_code
        except httpx.TransportError:
            return 0

    def stop(self, name: str, number: signal.Signals = signal.SIGTERM) -> None:
        """Stop a process, or kill it."""
        process = self._running.pop(name, None)
        if process is not None:
            process.send_signal(number)
            try:
                process.wait(_STOP_S)
            finally:
                process.kill()
                process.wait()

    def pid(self, name: str) -> int:
        """A process's id."""
        return self._running[name].pid

    def complete(self) -> None:
        """Start whatever a test that failed has left stopped."""
        for name in ("projects", "assets", "builds", "worker"):
            if name not in self._running:
                self.start(name)

    def close(self) -> None:
        """Stop them all."""
        for name in list(self._running)[::-1]:
            self.stop(name)


class Desk:
    """One test's people and projects, and how they call the services."""

    def __init__(self, company: Company, client: httpx.AsyncClient, db: Database) -> None:
        self.company = company
        self.client = client
        self.db = db
        self.owner = uuid7()
        self.editor = uuid7()
        self.viewer = uuid7()
        self.stranger = uuid7()

    def headers(self, user: UUID | None, **more: str) -> dict[str, str]:
        """What the gateway sends for a user."""
        secret = self.company.builds_env["FLEET_SECRET"]
        identity = {"x-user-id": str(user)} if user else {}
        return {
            "x-fleet-secret": secret,
            **identity,
            **{name.replace("_", "-"): value for name, value in more.items()},
        }

    async def call(
        self,
        method: str,
        path: str,
        user: UUID | None = None,
        *,
        json: Any = None,
        service: str = "builds",
        **headers: str,
    ) -> httpx.Response:
        """Call a service as a user, the owner unless another is named."""
        return await self.client.request(
            method,
            f"{self.company.url(service)}{path}",
            json=json,
            headers=self.headers(user or self.owner, **headers),
        )

    async def project(self, files: dict[str, str], *, is_public: bool = False) -> str:
        """Make a project with these files."""
        made = await self.call(
            "POST",
            "/api/v1/projects",
            json={"name": "Game", "isPublic": is_public},
            service="projects",
        )
        project: str = made.json()["data"]["id"]
        await self.write(project, files)
        return project

    async def write(self, project: str, files: dict[str, str]) -> None:
        """Write files of a project."""
        steps = [{"op": "upsert", "path": p, "content": c} for p, c in files.items()]
        answer = await self.call(
            "POST",
            f"/api/v1/projects/{project}/files/batch",
            json={"operations": steps},
            service="projects",
        )
        assert answer.status_code == httpx.codes.OK, answer.text

    async def upload(self, project: str, name: str, content: bytes) -> None:
        """Upload an asset."""
        answer = await self.client.post(
            f"{self.company.url('assets')}/api/v1/assets/upload",
            headers=self.headers(self.owner),
            data={"projectId": project, "name": name},
            files={"file": (name, content)},
        )
        assert answer.status_code == httpx.codes.CREATED, answer.text

    async def access(self, project: str, *, version: int = 1000, is_public: bool = False) -> None:
        """Let builds hear who may do what, newer than anything that projects said."""
        roles = {self.owner: "owner", self.editor: "editor", self.viewer: "viewer"}
        await learn(
            self.db,
            Access(
                resource_id=UUID(project),
                version=version,
                is_public=is_public,
                is_deleted=False,
                roles={str(user): role for user, role in roles.items()},
            ),
        )

    async def start(self, project: str, user: UUID | None = None, **more: Any) -> dict[str, Any]:
        """Start a build."""
        body = {"projectId": project, "target": "web", **more}
        answer = await self.call("POST", "/api/v1/builds", user, json=body)
        assert answer.status_code == httpx.codes.CREATED, answer.text
        build: dict[str, Any] = answer.json()["data"]
        assert answer.headers["location"] == f"/api/v1/builds/{build['id']}"
        return build

    async def ended(self, build: dict[str, Any]) -> dict[str, Any]:
        """Wait for the end of a build."""
        now: dict[str, Any] = build
        for _ in range(4):
            path = f"/api/v1/builds/{build['id']}"
            now = (await self.call("GET", path, prefer="wait=30")).json()["data"]
            if now["status"] not in {"queued", "building"}:
                return now
        raise AssertionError(now)

    async def built(self, files: dict[str, str], **more: Any) -> dict[str, Any]:
        """Build a project of these files, to the end."""
        return await self.ended(await self.start(await self.project(files), **more))

    async def site(self, build: dict[str, Any]) -> list[str]:
        """The paths of what is played."""
        pool = self.db._pool  # noqa: SLF001 - no route lists them
        site = await pool.fetchval("SELECT site FROM build WHERE id = $1", UUID(build["id"]))
        return sorted(msgspec.json.decode(site) if isinstance(site, str) else site)

    async def played(self, build: dict[str, Any], path: str) -> httpx.Response:
        """A file of a public project's game."""
        return await self.call("GET", f"/play/{build['id']}/{path}", self.stranger)

    async def until(self, build: dict[str, Any], status: str, step: str = "") -> None:
        """Wait until a build is under way, in a step if one is named."""
        now = build
        path = f"/api/v1/builds/{build['id']}"
        for _ in range(600):
            now = (await self.call("GET", path, prefer="wait=0")).json()["data"]
            running = {s["name"] for s in now["steps"] if s["status"] == "running"}
            if now["status"] == status and (not step or step in running):
                return
            time.sleep(0.05)  # noqa: ASYNC251 - nothing else is to happen meanwhile
        raise AssertionError(now)


@pytest.fixture(scope="session")
def company(
    service_env: Callable[[str], dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Company]:
    """The services, started once; a test that stops one starts it again."""
    made = Company(service_env, tmp_path_factory.mktemp("logs"))
    try:
        for name in ("projects", "assets", "builds"):
            made.start(name, wait=False)
        made.start("worker")
        for name in ("projects", "assets", "builds"):
            made._until_ready(name)  # noqa: SLF001 - they start side by side
        yield made
    finally:
        made.close()


@pytest.fixture
async def desk(company: Company) -> AsyncGenerator[Desk]:
    """People and projects of this test alone."""
    company.complete()
    db = await Database.connect(
        company.builds_env["DATABASE_URL"], pool_size=1, wait_s=5.0, statement_s_max=5.0
    )
    async with httpx.AsyncClient(timeout=60.0) as client:
        yield Desk(company, client, db)
    await db.close()


@pytest.fixture
def slow() -> Callable[[int], dict[str, str]]:
    """Projects that take long to check."""
    return _slow


def _sees(process: Path, build_id: str) -> bool:
    """Whether a process lives in a sandbox that was made for the build."""
    try:
        return build_id in (process / "mountinfo").read_text()
    except OSError:
        return False


@pytest.fixture
def sandboxes() -> Callable[[dict[str, Any]], list[str]]:
    """A way to find the processes of a build's sandboxes."""

    def find(build: dict[str, Any]) -> list[str]:
        processes = [p for p in Path("/proc").iterdir() if p.name.isdigit()]
        return [p.name for p in processes if _sees(p, build["id"])]

    return find


@pytest.fixture(scope="session")
async def node() -> str:
    """Node, with what the lock of ``npm`` names."""
    found, npm = shutil.which("node"), shutil.which("npm")
    assert found is not None
    assert npm is not None
    here = Path(__file__).parent / "npm"
    if not (here / "node_modules").exists():
        installing = await asyncio.create_subprocess_exec(npm, "ci", cwd=here)
        assert await installing.wait() == 0
    return found


_SITE = {
    "index.html": '<!doctype html><html><head><title>G</title><link rel="stylesheet"'
    ' href="main-BBBBBBBB.css" /></head><body><canvas id="game"></canvas>'
    '<script type="module" src="main-AAAAAAAA.js"></script></body></html>',
    "main-AAAAAAAA.js": "document.title = 'played';\n" * 100,
    "main-AAAAAAAA.js.map": "{}",
    "main-BBBBBBBB.css": "body { margin: 0 }\n",
    "style.css": "canvas { width: 100% }\n",
    "assets/empty.txt": "",
    "assets/größe & <1>.json": "{}",
    "assets/blocks.bin": "block" * (1 << 20),
    "assets/whole.bin": "whole it" * (1 << 19),
}


@pytest.fixture
def game() -> Callable[..., Game]:
    """A way to put a game into a folder, as it is before it is packed."""

    def make(folder: Path, names: list[str] | None = None, *, icons: tuple[Icon, ...] = ()) -> Game:
        for name in names or list(_SITE):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(_SITE[name], encoding="utf-8")
        about = About(
            name="Größe & <Ruhm>",
            slug="grosse-ruhm",
            version="1.2.3",
            description='Said "so"',
            app_id="com.example.ruhm",
            orientation="landscape",
            icons=icons,
        )
        sealed = frozenset({"main-AAAAAAAA.js", "main-BBBBBBBB.css"})
        return Game(about, {name: folder / name for name in names or list(_SITE)}, sealed)

    return make


@pytest.fixture
def rooms(tmp_path: Path) -> Rooms:
    """The folders of a build that is about to be packed."""
    names = ("tree", "config", "bundle", "site")
    for name in names:
        (tmp_path / name).mkdir()
    tree, config, bundle, site = (tmp_path / name for name in names)
    return Rooms(tree, config, bundle, site, tmp_path)
