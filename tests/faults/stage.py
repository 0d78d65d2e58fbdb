"""Where it happens: real stores, and the one process that is killed again and again."""

import asyncio
import random
import subprocess
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx

from fleet.context import PYTHON
from fleet.ports import LOOPBACK
from fleet.processes import Process, guarded
from fleet.testing import Running

NAME = "projects"
STORES = ("stores", f"{NAME}-schema")
# so that many contents go to the object store, nobody runs out of projects, and a job whose worker
# dies is taken up soon, however often that happens
_SETTINGS = {
    "JOB_ATTEMPTS_MAX": "1000",
    "JOB_LEASE_S": "3",
    "INLINE_BYTES_MAX": "16384",
    "PROJECTS_PER_USER_MAX": "100000",
    "ACCESS_LOG": "false",
    "LOG_LEVEL": "warning",
}
_LOOK_S = 0.02
_READY_WITHIN_S = 60.0
_PAUSE_S = (0.05, 1.5)
_AGAIN = 1 / 10
_WARNING = '"level":"warning"'
_LINES_MAX = 40


class NotReadyError(Exception):
    """The service did not come back; the message has the end of its log."""


class Service:
    """The projects service as it is deployed: killed without warning, and started again at once."""

    def __init__(self, fleet: Running) -> None:
        self.fleet = fleet
        self.url = f"http://{LOOPBACK}:{fleet.ports.projects}"
        self.secret = fleet.secrets.fleet_secret
        self.log = fleet.home.log(f"{NAME}-killed")
        self.folder = fleet.home.cache / "archives"
        self.folder.mkdir(exist_ok=True)
        self.is_ready = asyncio.Event()
        self.recoveries: list[float] = []
        own = _SETTINGS | {"TMPDIR": str(self.folder), "ARCHIVE_FOLDER": str(self.folder)}
        self._process = Process(
            name=NAME,
            command=(PYTHON, "-m", "common.serve", f"{NAME}.main:create_app"),
            environment=fleet.env(NAME) | own,
        )
        self._child: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        """Start the process; it is not ready yet."""
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                guarded(self._process),
                env=self._process.environment,
                cwd=self.fleet.home.repository,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    async def ready(self, since: float | None = None) -> None:
        """Wait until it wants requests; ``since`` is when it was gone."""
        async with httpx.AsyncClient(base_url=self.url, timeout=2) as client:
            give_up_at = time.monotonic() + _READY_WITHIN_S
            while not await self._answers(client):
                if time.monotonic() > give_up_at or self._has_ended():
                    raise NotReadyError(f"The service does not come back.\n{self.tail()}")
                await asyncio.sleep(_LOOK_S)
        if since is not None:
            self.recoveries.append(time.monotonic() - since)
        self.is_ready.set()

    async def _answers(self, client: httpx.AsyncClient) -> bool:
        with suppress(httpx.HTTPError):
            return (await client.get("/health/ready")).is_success
        return False

    def _has_ended(self) -> bool:
        return self._child is not None and self._child.poll() is not None

    def kill(self) -> float:
        """End it with SIGKILL; return when that was."""
        self.is_ready.clear()
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.wait()
        return time.monotonic()

    def tail(self) -> str:
        """Return the last lines that it logged but for warnings, which an outage is full of."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join([line for line in lines if _WARNING not in line][-_LINES_MAX:])

    def left_over(self) -> list[Path]:
        """Return the temporary files that are there."""
        return [path for path in self.folder.rglob("*") if path.is_file()]


@asynccontextmanager
async def served(fleet: Running) -> AsyncGenerator[Service]:
    """Run the service; however this ends, no process is left."""
    service = Service(fleet)
    try:
        service.begin()
        await service.ready()
        yield service
    finally:
        service.kill()


class Killer:
    """Who kills, when the dice say so."""

    def __init__(self, service: Service, dice: random.Random) -> None:
        self._service = service
        self._dice = dice

    async def service(self) -> int:
        """Kill the service in the midst of its work, and now and then again while it starts."""
        again = self._dice.random() < _AGAIN
        await self._pause()
        since = self._service.kill()
        self._service.begin()
        if again:
            await self._pause()
            self._service.kill()
            self._service.begin()
        await self._service.ready(since)
        return 1 + again

    async def postgres(self) -> None:
        """Kill PostgreSQL, which is started again on the same directory; the service stays."""
        await self._pause()
        since = time.monotonic()
        await asyncio.to_thread(self._service.fleet.kill, "postgres")
        await self._service.ready(since)

    async def _pause(self) -> None:
        await asyncio.sleep(self._dice.uniform(*_PAUSE_S))
