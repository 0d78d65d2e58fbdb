"""Reading a cached asset through the gateway, beside nginx with the same files."""

import hashlib
import random
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median

import httpx
import msgspec
import psutil

from benchmarks.assets.library import UPLOAD, Library, library
from benchmarks.assets.nginx import nginx
from benchmarks.harness import gateway, wrk
from benchmarks.harness.cases import BadAnswerError
from benchmarks.harness.contender import Contender
from benchmarks.harness.ours import gateway_headers
from benchmarks.projects import subject
from fleet import ports
from fleet.context import Context

KIBIBYTE = 1_024
SIZES = (4 * KIBIBYTE, 256 * KIBIBYTE, 4_096 * KIBIBYTE)
GOAL = 2.0
FLOOR = "gateway + nginx"
_SEED = 7


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """One server over one size in one round."""

    size: int
    server: str
    round: int
    per_s: float
    p50_ms: float
    p99_ms: float
    cpu_us: float


class Server(msgspec.Struct, frozen=True):
    """A server under measurement, and the processes whose time is its own."""

    name: str
    url: str
    pids: tuple[int, ...]

    def cpu_s(self) -> float:
        """Return what the processes, and those that they started, have used so far."""
        used = 0.0
        for pid in self.pids:
            own = psutil.Process(pid)
            for process in (own, *own.children(recursive=True)):
                times = process.cpu_times()
                used += times.user + times.system
        return used


def measured(
    context: Context, program: str, load: wrk.Load, count: int, sizes: tuple[int, ...]
) -> tuple[list[Read], float]:
    """Measure; return every run, and the most memory that the service had, in MiB."""
    chance = random.Random(_SEED)  # noqa: S311 - bytes that are the same each time
    files = {size: chance.randbytes(size) for size in sizes}
    with library(context, is_public=True, bytes_max=max(sizes)) as ours:
        paths = {size: _uploaded(ours, data) for size, data in files.items()}
        contents = {paths[size]: data for size, data in files.items()}
        service = Contender(
            name="assets",
            url=f"http://127.0.0.1:{ours.service.port}",
            pids=(ours.service.pid,),
            identify=partial(gateway_headers, context.secrets.fleet_secret),
            project_ids=[],
            database_url="",
            outbox="",
        )
        with (
            gateway.behind(context, service) as front,
            nginx(context, contents | {"/health/ready": b"{}"}) as (peer_url, peer_pid),
            gateway.behind(*_floor(context, service, peer_url, peer_pid)) as floor,
        ):
            servers = [
                Server("gateway", front.url, front.pids),
                Server("nginx", peer_url, (peer_pid,)),
                Server(FLOOR, floor.url, floor.pids),
            ]
            _check(servers, contents)
            runs = list(_rounds(servers, paths, program, load, count, context.home.cache))
            _check(servers, contents)
            peak = subject.memory_mb(ours.service.pid, "VmHWM")
    return runs, peak


def _floor(
    context: Context, service: Contender, url: str, pid: int
) -> tuple[Context, Contender, str]:
    """A gateway of the same configuration that finds nginx where the service would be.

    What it takes is the gateway's own share, which no service behind it can better.
    """
    port = httpx.URL(url).port
    free = msgspec.structs.replace(ports.free(), assets=port)
    peer = msgspec.structs.replace(service, url=url, pids=(pid,))
    return msgspec.structs.replace(context, ports=free), peer, "floor"


def _uploaded(ours: Library, data: bytes) -> str:
    answer = ours.service.client.post(
        UPLOAD,
        headers=ours.service.headers,
        data={"projectId": str(ours.project_id)},
        files={"file": (f"{len(data)}.bin", data, "application/octet-stream")},
    )
    if answer.status_code != httpx.codes.CREATED:
        raise BadAnswerError(f"An upload was answered {answer.status_code}: {answer.text[:500]}")
    return f"/cdn/{hashlib.sha256(data).hexdigest()}/{len(data)}.bin"


def _check(servers: list[Server], contents: dict[str, bytes]) -> None:
    for server in servers:
        for path, data in contents.items():
            answer = httpx.get(f"{server.url}{path}", timeout=30.0)
            tag = answer.headers.get("etag", "")
            if answer.status_code != httpx.codes.OK or answer.content != data or not tag:
                raise BadAnswerError(f"{server.name} answered {path} wrongly.")
            known = httpx.get(f"{server.url}{path}", headers={"if-none-match": tag})
            part = httpx.get(f"{server.url}{path}", headers={"range": "bytes=1-9"})
            if known.status_code != httpx.codes.NOT_MODIFIED or part.content != data[1:10]:
                raise BadAnswerError(f"{server.name} does not know conditions or ranges.")


def _rounds(
    servers: list[Server],
    paths: dict[int, str],
    program: str,
    load: wrk.Load,
    count: int,
    folder: Path,
) -> Iterator[Read]:
    plans = {
        size: wrk.write_plan(folder / f"read-{size}.plan", [wrk.Request("GET", path, "", {})])
        for size, path in paths.items()
    }
    for number in range(count + 1):
        turn = number % len(servers)
        for size, plan in plans.items():
            for server in servers[turn:] + servers[:turn]:
                before = server.cpu_s()
                drive = wrk.drive(program, server.url, plan, load, time.time_ns() // 1_000)
                if drive.refused or drive.broken or drive.bytes < drive.requests * size:
                    raise BadAnswerError(f"{server.name} failed under load: {drive}")
                if number:  # the first warms caches
                    yield Read(
                        size=size,
                        server=server.name,
                        round=number,
                        per_s=drive.per_s,
                        p50_ms=drive.p50_us / 1e3,
                        p99_ms=drive.p99_us / 1e3,
                        cpu_us=(server.cpu_s() - before) * 1e6 / max(drive.requests, 1),
                    )


def ratio(runs: list[Read], size: int, server: str = "gateway") -> float:
    """How many times as fast nginx is: the median over the rounds of one round's quotient."""
    by = {(run.server, run.round): run.per_s for run in runs if run.size == size}
    numbers = {number for _, number in by}
    return median(by["nginx", number] / by[server, number] for number in numbers)


def table(runs: list[Read]) -> str:
    """Return the medians, and how the gateway stands to nginx."""
    head = ("", "size KiB", "req/s", "MiB/s", "p50 ms", "p99 ms", "CPU us", "nginx is faster by")
    rows: list[tuple[str, ...]] = []
    for size in sorted({run.size for run in runs}):
        for server in ("nginx", FLOOR, "gateway"):
            own = [run for run in runs if (run.size, run.server) == (size, server)]
            per_s = median(run.per_s for run in own)
            rows.append(
                (
                    server,
                    f"{size / KIBIBYTE:.0f}",
                    f"{per_s:.0f}",
                    f"{per_s * size / 2**20:.0f}",
                    f"{median(run.p50_ms for run in own):.1f}",
                    f"{median(run.p99_ms for run in own):.1f}",
                    f"{median(run.cpu_us for run in own):.0f}",
                    "" if server == "nginx" else f"{ratio(runs, size, server):.2f}",
                )
            )
    return subject.table(head, rows)
