"""Measure what logins take from everybody else: ``python -m benchmarks.auth.bench``.

One process of the auth service answers ``GET /users/me``, alone and with logins beside it, in
turns. Everything is started here, checked, and stopped again. Numbers are kept only with
``--save``.
"""

import argparse
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from types import FrameType

import httpx
import msgspec
import psutil

from benchmarks.auth import people, reading, report
from benchmarks.auth.people import Service
from benchmarks.auth.report import Measured
from benchmarks.auth.storm import Logins, logins
from benchmarks.harness import machine, wrk
from benchmarks.harness.cases import BadAnswerError
from benchmarks.harness.processes import StartError
from benchmarks.harness.stores import stores

RESULTS = Path(__file__).resolve().parents[1] / "results"
# as much as editors ask for, and as much as the process can take
LOADS = {
    "some of the time": wrk.Load(connections=32, seconds=0, pause_ms=80),
    "all of the time": wrk.Load(connections=16, seconds=0),
}
_WARM_UP_S = 2
_SLACK_S = 240
_BESIDE_A_RUN_S = 5


def main() -> int:
    """Measure, print, and say by the exit code whether the answers were right."""
    given = _arguments()
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGALRM, _end)
    runs = (given.rounds + 1) * len(LOADS) * 2
    signal.alarm(runs * (given.seconds + _BESIDE_A_RUN_S) + _SLACK_S)
    try:
        text, results = _measured(given)
    except (BadAnswerError, StartError, TimeoutError) as exc:
        print(f"\nNothing was measured: {exc}", file=sys.stderr)
        return 1
    print(text)
    if given.save:
        print(f"\nKept in {_save(text, results)}.")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="after one that does not count")
    parser.add_argument("--seconds", type=int, default=5, help="for each run")
    parser.add_argument("--logins", type=int, default=20, help="how many at once")
    parser.add_argument("--save", action="store_true", help="keep the result, with its date")
    return parser.parse_args()


def _end(number: int, _: FrameType | None) -> None:
    # an exception, so that every context on the way out stops what it started
    raise SystemExit(f"Ended by {signal.Signals(number).name}.")


def _measured(given: argparse.Namespace) -> tuple[str, list[Measured]]:
    program = shutil.which("wrk")
    if program is None:
        raise StartError("wrk is not installed: install the system package wrk.")
    with stores(relay=False, service=people.NAME) as context:
        about = machine.described(context.programs.postgres_bin, context.settings.path)
        with people.auth(context, given.logins) as service:
            plan = reading.plan(service, context.home.cache)
            with httpx.Client() as client:
                for who in service.people:
                    reading.check(client, service, who)
            results = list(_rounds(given, program, service, plan))
    how = f"Medians of {given.rounds} rounds of {given.seconds} s."
    tables = [report.table(load, results) for load in LOADS]
    return "\n\n".join(["", "\n".join([*about, how]), *tables]), results


def _rounds(
    given: argparse.Namespace, program: str, service: Service, plan: Path
) -> Iterator[Measured]:
    for number in range(given.rounds + 1):
        # who begins changes with each round
        counts = (0, given.logins) if number % 2 else (given.logins, 0)
        for name, load in LOADS.items():
            for count in counts:
                seconds = given.seconds if number else _WARM_UP_S
                timed = msgspec.structs.replace(load, seconds=seconds)
                found = _run(program, service, plan, timed, count)
                measured = msgspec.structs.replace(found, load=name, round=number)
                if number:  # the first warms caches and compilers
                    print(_told(measured), file=sys.stderr, flush=True)
                    yield measured


def _run(program: str, service: Service, plan: Path, load: wrk.Load, count: int) -> Measured:
    process, storm, asked = psutil.Process(service.pid), Logins(), time.perf_counter()
    with ExitStack() as stack:
        if count:
            storm = stack.enter_context(logins(program, service, count, plan.parent))
        sampled = stack.enter_context(reading.checking(service))
        before, began = process.cpu_times(), time.perf_counter()
        drive = wrk.drive(program, service.url, plan, load, 0)
        after, took_s = process.cpu_times(), time.perf_counter() - began
        memory_mb = process.memory_info().rss / 2**20
    stormed_s = time.perf_counter() - asked
    done, refused = storm.seconds, storm.refused
    fault = sampled.fault or storm.fault
    if fault or not sampled.requests or (count and not done):
        raise BadAnswerError(fault or "There were no answers.")
    if drive.refused or drive.broken or not drive.requests:
        raise BadAnswerError(
            f"Of {drive.requests} requests {drive.refused} were refused, "
            f"{drive.broken} connections broke"
        )
    cpu_s = after.user + after.system - before.user - before.system
    return Measured(
        load="",
        logins=count,
        round=0,
        per_s=drive.per_s,
        p50_ms=drive.p50_us / 1e3,
        p95_ms=drive.p95_us / 1e3,
        p99_ms=drive.p99_us / 1e3,
        cpu_percent=100 * cpu_s / took_s,
        memory_mb=memory_mb,
        logins_per_s=len(done) / stormed_s,
        login_p50_ms=median(done) * 1e3 if done else 0,
        login_p95_ms=quantiles(done, n=20)[-1] * 1e3 if len(done) > 1 else 0,
        refused=refused,
    )


def _told(result: Measured) -> str:
    beside = f"{result.logins_per_s:.1f} logins/s beside it" if result.logins else "alone"
    return (
        f"{time.strftime('%H:%M:%S')} round {result.round}, {result.load}, {beside}: "
        f"{result.per_s:.0f} requests/s, p95 {result.p95_ms:.2f} ms"
    )


def _save(text: str, results: list[Measured]) -> Path:
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{datetime.now(UTC):%Y-%m-%d-%H%M}-auth.md"
    path.write_text(f"# Benchmark of {datetime.now(UTC):%Y-%m-%d}\n{text}\n", encoding="utf-8")
    path.with_suffix(".json").write_bytes(msgspec.json.format(msgspec.json.encode(results)))
    return path


if __name__ == "__main__":
    sys.exit(main())
