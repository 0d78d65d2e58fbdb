"""Ask in several ways, in turns, so that what slows the machine for a while slows all of them."""

import http.client
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import cycle, islice
from pathlib import Path
from statistics import median, quantiles

import msgspec
import psutil

from benchmarks.harness.cases import BadAnswerError
from benchmarks.projects.subject import Service
from fleet.ports import LOOPBACK

_STORES = {"postgres", "redis-server"}
_TIMEOUT_S = 60.0
_WARM = 3


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked, of whom, and what the answer must be."""

    name: str
    service: Service
    # one after the other, and again
    paths: list[str]
    # the answer's entity tag for each path, where it has one
    tags: list[str] = []
    headers: dict[str, str] = {}
    status: int = 200
    # done before each request, and not measured
    before: Callable[[], None] | None = None


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """One way: its times in each round, and what a request took of processors and memory."""

    name: str
    rounds: list[list[float]]
    cpu_ms: float
    stores_cpu_ms: float
    memory_mb: float
    answer_kb: float

    @property
    def p50_ms(self) -> float:
        """Half of the requests took no longer."""
        return median(t for times in self.rounds for t in times) * 1e3

    @property
    def p95_ms(self) -> float:
        """Of a hundred requests five took longer."""
        return quantiles([t for times in self.rounds for t in times], n=20)[-1] * 1e3

    def ratio(self, other: "Measured") -> float:
        """Return the median over the rounds of one round's quotient of medians."""
        pairs = zip(self.rounds, other.rounds, strict=True)
        return median(median(mine) / median(theirs) for mine, theirs in pairs)

    def cpu_ratio(self, other: "Measured") -> float:
        """Return the quotient of what the service and its stores took of processors."""
        return (self.cpu_ms + self.stores_cpu_ms) / (other.cpu_ms + other.stores_cpu_ms)


class _Run(msgspec.Struct):
    """What has been found out of one way so far."""

    rounds: list[list[float]] = []
    cpu_s: float = 0
    stores_cpu_s: float = 0
    memory_bytes: int = 0
    answer_bytes: int = 0
    requests: int = 0


def measured(ways: list[Way], rounds: int, each: int) -> list[Measured]:
    """Ask in every way in each round; who begins changes. The first round does not count."""
    runs = [_Run() for _ in ways]
    for number in range(rounds + 1):
        order = list(range(len(ways)))
        turn = number % len(ways)
        for i in order[turn:] + order[:turn]:
            if number == 0:
                _run(ways[i], _Run(), max(_WARM, len(ways[i].paths)))
            else:
                _run(ways[i], runs[i], each)
    return [
        Measured(
            name=way.name,
            rounds=run.rounds,
            cpu_ms=run.cpu_s / run.requests * 1e3,
            stores_cpu_ms=run.stores_cpu_s / run.requests * 1e3,
            memory_mb=run.memory_bytes / 2**20,
            answer_kb=run.answer_bytes / 1e3,
        )
        for way, run in zip(ways, runs, strict=True)
    ]


def _run(way: Way, run: _Run, count: int) -> None:
    headers = way.service.headers | way.headers
    asked = list(zip(way.paths, way.tags or [""] * len(way.paths), strict=True))
    times, body = [], b""
    pids, store_pids = [way.service.pid], _store_pids()
    began_s, stores_s = _cpu_s(pids), _cpu_s(store_pids)
    with _connection(way.service) as connection:
        for path, tag in islice(cycle(asked), count):
            if way.before:
                way.before()
            began = time.perf_counter()
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            body = answer.read()
            times.append(time.perf_counter() - began)
            _check(way, tag, answer, body)
    run.cpu_s += _cpu_s(pids) - began_s
    run.stores_cpu_s += _cpu_s(store_pids) - stores_s
    run.rounds.append(times)
    run.requests += count
    run.memory_bytes = max(run.memory_bytes, psutil.Process(way.service.pid).memory_info().rss)
    run.answer_bytes = len(body)


def _check(way: Way, tag: str, answer: http.client.HTTPResponse, body: bytes) -> None:
    if answer.status != way.status or (tag and answer.headers["etag"] != tag):
        raise BadAnswerError(f"{way.name} was answered {answer.status}: {body[:500]!r}")


@contextmanager
def _connection(service: Service) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(LOOPBACK, service.port, timeout=_TIMEOUT_S)
    try:
        yield connection
    finally:
        connection.close()


def _store_pids() -> list[int]:
    """The processes of this benchmark's stores."""
    found = psutil.Process().children(recursive=True)
    with suppress(psutil.NoSuchProcess):
        return [process.pid for process in found if process.name() in _STORES]
    return _store_pids()  # one of them, which does a while's work, has just ended


def _cpu_s(pids: list[int]) -> float:
    """What processes have used of processors, by the scheduler's account, which has no ticks."""
    nanoseconds = 0
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            with suppress(OSError):
                nanoseconds += int(task.read_text(encoding="ascii").split()[0])
    return nanoseconds / 1e9
