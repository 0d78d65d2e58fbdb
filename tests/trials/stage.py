"""Where trials happen: real stores, the projects service, and two processes of collab."""

import asyncio
import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Protocol

import httpx
import msgspec
from services.collab.tests.conftest import Auth

from fleet import ports
from fleet.context import PYTHON
from fleet.ports import LOOPBACK
from fleet.processes import Process, guarded
from fleet.testing import Running
from tests.wire import Wire, wire

STORES = ("stores", "projects-schema", "collab-schema")
_LOOK_S = 0.05
_READY_WITHIN_S = 60.0
_LINES_MAX = 60
_WARNING = '"level":"warning"'
_INFO = '"level":"info"'
# short, so that a run sees many leases come and go, and many bursts of typing written back
QUICK = {
    "NODE_BEAT_S": "0.5",
    "NODE_TTL_S": "4",
    "LEASE_IDLE_S": "1",
    "ORPHAN_SWEEP_S": "1",
    "DOCUMENT_IDLE_S": "0.5",
    "WRITE_BACK_S": "0.25",
    "WRITE_BACK_S_MAX": "1",
    "DRAIN_SECONDS": "0.5",
    "DRAIN_SPREAD_S": "0.2",
    # long, so that nothing fails because the machine has much to do
    "OUTGOING_TIMEOUT_S": "15",
    "DURABLE_WAIT_S": "12",
    "HOLD_WAIT_S": "12",
    "HOLD_S_MAX": "12",
}
_PROJECTS = {
    "PROJECTS_PER_USER_MAX": "100000",
    "DRAIN_SECONDS": "0.2",
}
_SHARED = ("OUTGOING_TIMEOUT_S",)
_QUIET = {"ACCESS_LOG": "false", "LOG_LEVEL": "warning"}
# after somebody died others wait for the end of a lease, and for the ends of requests
_GRACE_S = 20.0
_PAUSE_S = 0.1
_NONE: Mapping[str, str] = {}


class Witness(Protocol):
    """Who is told when processes end, and when they are there again."""

    def __call__(self, what: str, *, is_over: bool) -> None:
        """Hear of it."""


class NotReadyError(Exception):
    """A process did not come back; the message has the end of its log."""


class Child:
    """A process of a service: killed, stopped, frozen, and started again."""

    def __init__(
        self, fleet: Running, name: str, module: tuple[str, ...], environment: Mapping[str, str]
    ) -> None:
        self.name = name
        self.port = int(environment["PORT"])
        self.socket_port = int(environment.get("SOCKET_PORT", "0"))
        self.url = f"http://{LOOPBACK}:{self.port}"
        self.log = fleet.home.log(f"{name}-tried")
        self._folder = fleet.home.repository
        self._process = Process(
            name=name, command=(PYTHON, "-m", *module), environment=dict(environment)
        )
        self._child: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        """Start the process; it is not ready yet."""
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                guarded(self._process),
                env=self._process.environment,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    async def ready(self) -> None:
        """Wait until it wants requests."""
        give_up_at = time.monotonic() + _READY_WITHIN_S
        async with httpx.AsyncClient(base_url=self.url, timeout=2, trust_env=False) as client:
            while not await _answers(client):
                has_ended = self._child is None or self._child.poll() is not None
                if has_ended or time.monotonic() > give_up_at:
                    raise NotReadyError(f"{self.name} does not come.\n{self.tail()}")
                await asyncio.sleep(_LOOK_S)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        if self._child is not None:
            os.kill(self._child.pid, number)

    async def end(self, number: signal.Signals) -> None:
        """End it, however long that takes."""
        child, self._child = self._child, None
        if child is not None:
            child.send_signal(number)
            # nothing tells without a thread, and all of the pool's may wait for something else
            while child.poll() is None:  # noqa: ASYNC110 - so it is asked
                await asyncio.sleep(_LOOK_S)

    def warnings(self) -> Counter[str]:
        """Count what it warned of."""
        lines = Path(self.log).read_text(encoding="utf-8", errors="replace").splitlines()
        told = [line for line in lines if line.startswith("{") and _INFO not in line]
        return Counter(f"{self.name}: {_event(line)}" for line in told)

    def tail(self) -> str:
        """Return the last lines that it logged but for warnings, which an outage is full of."""
        lines = Path(self.log).read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join([line for line in lines if _WARNING not in line][-_LINES_MAX:])


def _event(line: str) -> str:
    try:
        told = msgspec.json.decode(line)
    except msgspec.DecodeError:
        return "?"
    return f"{told.get('level')} {told.get('event')}"


async def _answers(client: httpx.AsyncClient) -> bool:
    with suppress(httpx.HTTPError):
        return (await client.get("/health/ready")).is_success
    return False


class Stage:
    """The services, and who restarts them."""

    def __init__(self, fleet: Running, auth: Auth, to_collab: Wire, given: list[Child]) -> None:
        self.fleet = fleet
        self.auth = auth
        self.to_collab = to_collab
        self.projects, *self.collabs = given
        self.secret = fleet.secrets.fleet_secret
        # who has this is sure that nothing else is restarted
        self.calm = asyncio.Lock()
        self.restarts: list[str] = []
        # who is told of them
        self.witnesses: set[Witness] = set()
        self._troubled_until = 0.0
        self._in_trouble = 0

    @property
    def is_in_trouble(self) -> bool:
        """Whether a process is being restarted."""
        return self._in_trouble > 0

    def was_well(self, since: float) -> bool:
        """Whether nothing was restarted since then, nor shortly before."""
        return not self._in_trouble and self._troubled_until < since

    @asynccontextmanager
    async def trouble(self, what: str) -> AsyncGenerator[None]:
        """While this goes on, and a while longer, requests may fail."""
        self.restarts.append(what)
        self._in_trouble += 1
        self._tell(what)
        try:
            yield
        finally:
            self._tell(what, is_over=True)
            self._in_trouble -= 1
            self._troubled_until = time.monotonic() + _GRACE_S

    def _tell(self, what: str, *, is_over: bool = False) -> None:
        for witness in self.witnesses:
            witness(what, is_over=is_over)

    async def restart(self, child: Child, number: signal.Signals) -> None:
        """End a process, and start it again at once."""
        async with self.trouble(f"{number.name} {child.name}"):
            await child.end(number)
            child.begin()
            await child.ready()

    async def restart_one(self, dice: random.Random) -> None:
        """Restart whichever the dice say, in order or not."""
        child = dice.choice([self.projects, *self.collabs, *self.collabs])
        await self.restart(child, dice.choice([signal.SIGKILL, signal.SIGTERM]))

    async def breathe(self) -> None:
        """Wait a moment before it is tried again."""
        await asyncio.sleep(_PAUSE_S)

    def warnings(self) -> Counter[str]:
        """Count what was warned of."""
        return sum((c.warnings() for c in (self.projects, *self.collabs)), Counter())

    def tails(self) -> str:
        """Return the ends of the logs."""
        return "\n".join(f"--- {c.name}\n{c.tail()}" for c in (self.projects, *self.collabs))


@asynccontextmanager
async def staged(
    fleet: Running, settings: Mapping[str, str], firsts: Mapping[str, str] = _NONE
) -> AsyncGenerator[Stage]:
    """Run the services; however this ends, no process is left.

    ``settings`` are collab's, and ``firsts`` those of its first process alone.
    """
    auth = Auth()
    listening = await auth.start()
    other = ports.free()
    places = [
        {"PORT": str(place.collab), "SOCKET_PORT": str(place.collab_socket)}
        for place in (fleet.ports, other)
    ]
    async with AsyncExitStack() as stack:
        stack.callback(listening.close)
        to_collab = await stack.enter_async_context(wire(*(int(p["PORT"]) for p in places)))
        asked = _QUIET | {"AUTH_URL": auth.url}
        children = [
            Child(
                fleet,
                "projects",
                ("common.serve", "projects.main:create_app"),
                {
                    **fleet.env("projects"),
                    **asked,
                    **_PROJECTS,
                    **{name: settings[name] for name in _SHARED if name in settings},
                    "COLLAB_URL": f"http://{LOOPBACK}:{to_collab.port}",
                },
            )
        ]
        children += [
            Child(
                fleet,
                f"collab-{number}",
                ("collab.main",),
                {**fleet.env("collab"), **asked, **settings, **place, **own},
            )
            for number, (place, own) in enumerate(zip(places, (firsts, _NONE), strict=True), 1)
        ]
        for child in children:
            stack.push_async_callback(child.end, signal.SIGKILL)
            child.begin()
        for child in children:
            await child.ready()
        yield Stage(fleet, auth, to_collab, children)
