"""What builds take from everybody else: a project is read again and again while twenty wait."""

import multiprocessing
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from statistics import quantiles

import httpx
import msgspec

from benchmarks.builds.crew import Crew, another_worker, changed, demo
from benchmarks.harness.cases import BadAnswerError
from fleet.context import Context

BUILDS = 20
_EVERY_S = 0.02
_IDLE_S = 5.0
_FEWEST = 40


class Round(msgspec.Struct, frozen=True):
    """The 95th percentile of reading a project, and how long the builds took in all."""

    idle_ms: float
    busy_ms: float
    builds_s: float


def rounds(crew: Crew, count: int) -> Iterator[Round]:
    """Read while nothing is built, and while two workers have twenty builds to do."""
    tree = demo(crew.context)
    # whoever wants the builds does so in a process of its own: it would hold up the reader's
    apart = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
    with another_worker(crew.context), apart as builder:
        projects = [crew.project(tree | changed(tree)) for _ in range(BUILDS)]
        for number in range(count + 1):
            for project in projects:
                crew.write(project, changed(tree))
            measured = _round(crew, projects, builder)
            if number:  # the first warms caches
                yield measured


def _round(crew: Crew, projects: list[str], builder: Executor) -> Round:
    ends = time.monotonic() + _IDLE_S
    idle = _read(crew, projects[0], until=lambda: time.monotonic() > ends)
    began = time.monotonic()
    waiting = builder.submit(_build, crew.context, crew.headers, projects)
    busy = _read(crew, projects[0], until=waiting.done)
    waiting.result()
    return Round(_p95_ms(idle), _p95_ms(busy), time.monotonic() - began)


def _build(context: Context, headers: dict[str, str], projects: list[str]) -> None:
    with httpx.Client(timeout=60.0) as client:
        crew = Crew(context, client, headers)
        builds = [crew.start(project) for project in projects]
        for build in builds:
            crew.ended(build)


def _read(crew: Crew, project: str, *, until: Callable[[], bool]) -> list[float]:
    """Read at a steady pace: whoever waits for one answer asks no less often for that."""
    url = crew.url("projects", f"/projects/{project}")
    found: list[float] = []
    due = time.perf_counter()
    with httpx.Client(timeout=30.0, headers=crew.headers) as client:
        while not until():
            answer = client.get(url)
            if answer.status_code != httpx.codes.OK or answer.json()["data"]["id"] != project:
                raise BadAnswerError(f"A project was answered {answer.status_code}.")
            # from when it was to be asked: what waits behind a slow answer is slow too
            found.append(time.perf_counter() - due)
            due = max(due + _EVERY_S, time.perf_counter() - 1.0)
            time.sleep(max(0.0, due - time.perf_counter()))
    if len(found) < _FEWEST:
        raise BadAnswerError("The builds ended before anything could be measured.")
    return found


def _p95_ms(seconds: list[float]) -> float:
    return quantiles(seconds, n=20)[-1] * 1e3
