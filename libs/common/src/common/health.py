"""Live: the process answers. Ready: what it cannot work without answers too."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import msgspec
from litestar import Response, get
from litestar.datastructures import State

from common.database import Database

type Probe = Callable[[], Awaitable[bool]]

_PROBE_S = 1.0


class Dependency(msgspec.Struct, frozen=True, rename="camel"):
    """Something that the service uses; a service is ready without what is not required."""

    name: str
    is_up: bool
    is_required: bool
    latency_ms: float


class Readiness(msgspec.Struct, frozen=True, rename="camel"):
    """Whether to send requests here, and why not."""

    status: str
    dependencies: list[Dependency]


class Watch:
    """What readiness looks at. A draining service is not ready, and still serves."""

    def __init__(self, db: Database) -> None:
        self.is_draining = False
        self._probes: list[tuple[str, bool, Probe]] = [("postgres", True, db.answers)]

    def add(self, name: str, probe: Probe, *, is_required: bool = False) -> None:
        """Look at one more dependency."""
        self._probes.append((name, is_required, probe))

    async def look(self) -> Readiness:
        """Ask every dependency at once."""
        found = await asyncio.gather(*[_timed(*probe) for probe in self._probes])
        ready = all(d.is_up or not d.is_required for d in found)
        status = "draining" if self.is_draining else "ready" if ready else "unavailable"
        return Readiness(status, list(found))


async def _timed(name: str, is_required: bool, probe: Probe) -> Dependency:  # noqa: FBT001 - unpacked from the list of probes
    began = time.perf_counter()
    try:
        async with asyncio.timeout(_PROBE_S):
            is_up = await probe()
    except Exception:  # noqa: BLE001 - whatever it raises, the dependency is not up
        is_up = False
    latency_ms = round((time.perf_counter() - began) * 1e3, 2)
    return Dependency(name, is_up, is_required, latency_ms)


@get("/health/live", include_in_schema=False)
async def live() -> dict[str, str]:
    """Say that the process answers."""
    return {"status": "live"}


@get("/health/ready", include_in_schema=False)
async def ready(state: State) -> Response[Readiness]:
    """Say whether requests should be sent here."""
    watch: Watch = state.watch
    found = await watch.look()
    return Response(found, status_code=200 if found.status == "ready" else 503)
