"""What builds take from everybody else: a project is read again and again while twenty wait."""

import threading
import time
from collections.abc import Callable, Iterator
from statistics import quantiles

import httpx
import msgspec

from benchmarks.builds.crew import Crew, another_worker, changed, demo
from benchmarks.harness.cases import BadAnswerError

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
    with another_worker(crew.context):
        projects = [crew.project(tree | changed(tree)) for _ in range(BUILDS)]
        for number in range(count + 1):
            for project in projects:
                crew.write(project, changed(tree))
            measured = _round(crew, projects)
            if number:  # the first warms caches
                yield measured


def _round(crew: Crew, projects: list[str]) -> Round:
    ends = time.monotonic() + _IDLE_S
    idle = _read(crew, projects[0], until=lambda: time.monotonic() > ends)
    faults: list[str] = []
    waiting = threading.Thread(target=_build, args=(crew, projects, faults))
    began = time.monotonic()
    waiting.start()
    busy = _read(crew, projects[0], until=lambda: not waiting.is_alive())
    waiting.join()
    if faults:
        raise BadAnswerError(faults[0])
    return Round(_p95_ms(idle), _p95_ms(busy), time.monotonic() - began)


def _build(crew: Crew, projects: list[str], faults: list[str]) -> None:
    try:
        builds = [crew.start(project) for project in projects]
        for build in builds:
            crew.ended(build)
    except (BadAnswerError, httpx.HTTPError) as exc:
        faults.append(str(exc))


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
