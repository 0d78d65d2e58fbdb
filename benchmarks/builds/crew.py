"""The services that a build takes, a worker, and whoever wants builds of them."""

import base64
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec

from benchmarks.harness.cases import BadAnswerError
from benchmarks.harness.ours import gateway_headers
from benchmarks.harness.processes import answers, running, tail
from benchmarks.harness.stores import stores
from common.ids import uuid7
from fleet import ports, services
from fleet.context import PYTHON, Context
from fleet.ports import LOOPBACK
from fleet.processes import Process

type Tree = dict[str, bytes]
type Build = dict[str, Any]

ANOTHER = "builds-worker-2"

_WITHIN_S = 300.0
_UNFINISHED = ("queued", "building")
_HERE = Path(__file__).parent


class Built(msgspec.Struct, frozen=True):
    """A build that succeeded: seconds from the POST to the answer that says so."""

    seconds: float
    build: Build

    @property
    def artifacts(self) -> dict[str, str]:
        """What came of it, by name: the hashes."""
        return {one["name"]: one["sha256"] for one in self.build["artifacts"]}

    def span_s(self, *names: str) -> float:
        """Seconds from the beginning of the first of these steps to the end of the last."""
        steps = [step for step in self.build["steps"] if step["name"] in names]
        if len(steps) != len(names):
            raise BadAnswerError(f"The steps are {self.build['steps']}.")
        begun = [datetime.fromisoformat(step["startedAt"]).timestamp() for step in steps]
        ended = [at + step["durationMs"] / 1e3 for at, step in zip(begun, steps, strict=True)]
        span: float = max(ended) - min(begun)
        return span


class Crew(msgspec.Struct, frozen=True):
    """A fleet of what builds need, asked as the gateway asks, by one person."""

    context: Context
    client: httpx.Client
    headers: dict[str, str]

    def url(self, service: str, path: str) -> str:
        """An address of a service."""
        return f"http://{LOOPBACK}:{getattr(self.context.ports, service)}/api/v1{path}"

    def project(self, tree: Tree) -> str:
        """Make a project of these files; return its id."""
        made = self._call("POST", self.url("projects", "/projects"), 201, json={"name": "Game"})
        project: str = made["id"]
        self.write(project, tree)
        return project

    def write(self, project: str, tree: Tree) -> None:
        """Write files of a project."""
        steps = [
            {
                "op": "upsert",
                "path": path,
                "content": base64.b64encode(content).decode(),
                "encoding": "base64",
            }
            for path, content in tree.items()
        ]
        url = self.url("projects", f"/projects/{project}/files/batch")
        self._call("POST", url, 200, json={"operations": steps})

    def start(self, project: str) -> Build:
        """Want a build."""
        order = {"projectId": project, "target": "web"}
        build: Build = self._call("POST", self.url("builds", "/builds"), 201, json=order)
        return build

    def ended(self, build: Build) -> Build:
        """Wait until a build has succeeded."""
        url = self.url("builds", f"/builds/{build['id']}")
        give_up_at = time.monotonic() + _WITHIN_S
        while build["status"] in _UNFINISHED and time.monotonic() < give_up_at:
            build = self._call("GET", url, 200, headers={"prefer": "wait=30"})
        names = {one["name"] for one in build["artifacts"]}
        if build["status"] != "success" or "web.zip" not in names:
            logs = [self.context.home.log(name) for name in (services.WORKER, ANOTHER)]
            said = "\n".join(tail(log) for log in logs if log.exists())
            raise BadAnswerError(f"A build did not succeed: {build}\n{said}")
        return build

    def look(self, build: Build) -> Build:
        """See how a build is now."""
        seen: Build = self._call("GET", self.url("builds", f"/builds/{build['id']}"), 200)
        return seen

    def cancel(self, build: Build) -> None:
        """End a build."""
        self._call("POST", self.url("builds", f"/builds/{build['id']}/cancel"), 200)

    def build(self, project: str) -> Built:
        """Build, from the POST to the success."""
        began = time.perf_counter()
        build = self.ended(self.start(project))
        return Built(time.perf_counter() - began, build)

    def forget(self) -> None:
        """Let the workers have no file of any project."""
        for folder in (self.context.home.cache / "builds" / "blobs").glob("*/"):
            shutil.rmtree(folder, ignore_errors=True)

    def _call(
        self,
        method: str,
        url: str,
        wanted: int,
        *,
        json: object = None,
        headers: dict[str, str] | None = None,
    ) -> Any:  # noqa: ANN401 - whatever the answer has
        answer = self.client.request(method, url, json=json, headers=self.headers | (headers or {}))
        if answer.status_code != wanted:
            raise BadAnswerError(f"{method} {url} was answered {answer.status_code}: {answer.text}")
        return answer.json()["data"]


@contextmanager
def crew() -> Iterator[Crew]:
    """Run what a build takes, with one worker."""
    with (
        stores(relay=True, service="builds", more=(services.WORKER,)) as context,
        httpx.Client(timeout=60.0) as client,
    ):
        yield Crew(context, client, gateway_headers(context.secrets.fleet_secret, uuid7()))


@contextmanager
def another_worker(context: Context) -> Iterator[None]:
    """Run one more worker."""
    port = ports.free().builds_worker
    more = {"PORT": str(port), "BUILD_CACHE_DIR": str(context.home.cache / "builds-2")}
    worker = Process(
        name=ANOTHER,
        command=(PYTHON, "-m", "builds.worker"),
        environment=services.environment(context, "builds") | more,
    )
    log = context.home.log(worker.name)
    with running(worker, log, context.home.repository) as child:
        answers(child, f"http://{LOOPBACK}:{port}/health/ready", log)
        yield


def demo(context: Context) -> Tree:
    """The demo game."""
    return _read(context.home.repository / "examples" / "breakout", ("template.json",))


def phaser() -> Tree:
    """A game that stands on an engine, which its lock pins."""
    tree = _read(_HERE / "phaser", ())
    tree["package-lock.json"] = tree.pop("lock.json")
    return tree


def _read(folder: Path, without: tuple[str, ...]) -> Tree:
    paths = sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix != ".py")
    names = {str(p.relative_to(folder)): p for p in paths if p.name not in without}
    return {name: path.read_bytes() for name, path in names.items()}


def changed(tree: Tree, *, everywhere: bool = False) -> Tree:
    """The file that starts the game, or every module, with something new in it."""
    stamp = f'\nconsole.debug("{uuid7()}");\n'.encode()
    names = [n for n in tree if n.endswith(".ts")] if everywhere else ["src/main.ts"]
    return {name: tree[name] + stamp for name in names}
