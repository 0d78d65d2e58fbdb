"""Measure what bytes cost: ``python -m benchmarks.assets.bench``.

Cached assets through the gateway beside nginx, one large file in each way of sending, and fifty
small ones at once. Everything is started here, checked, and stopped again.
"""

import argparse
import shutil
import sys
from statistics import median

import httpx

from benchmarks.assets import reading, sending
from benchmarks.harness import machine
from benchmarks.harness.cases import BadAnswerError
from benchmarks.harness.processes import StartError
from benchmarks.harness.stores import stores
from benchmarks.harness.wrk import Load
from benchmarks.projects import subject
from fleet.context import Context

CASES = ("read", "upload", "batch")
_MISSED = 2


def main() -> int:
    """Measure, print, and say by the exit code whether answers were right and the goals reached."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--case", action="append", choices=CASES, help="only this; may be repeated")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="of each run")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--megabytes", type=int, default=1024, help="how large the large file is")
    given = parser.parse_args()
    subject.ends_by_signal()
    try:
        with stores(relay=False, service="assets", more=("s3-buckets",)) as context:
            about = machine.described(context.programs.postgres_bin, context.settings.path)
            print("\n".join(["", *about]))
            goals = [
                is_reached
                for case in given.case or CASES
                for is_reached in _measured(case, context, given)
            ]
    except (BadAnswerError, StartError, TimeoutError, httpx.HTTPError) as exc:
        print(f"\nNothing was measured: {exc!r}", file=sys.stderr)
        return 1
    return 0 if all(goals) else _MISSED


def _measured(case: str, context: Context, given: argparse.Namespace) -> list[bool]:
    if case == "read":
        return _read(context, given)
    if case == "upload":
        sent = sending.measured(context, given.megabytes)
        print(f"\n## One large file\n\n{sending.table(sent)}\n")
        goal = sending.PEAK_GOAL_MIB
        return [_said(f"{one.name}: peak", one.peak_mib, goal, "MiB") for one in sent]
    times = sending.batches(context, given.rounds)
    print(f"\n## {sending.BATCH_FILES} small files at once\n")
    return [_said("a batch, by its median", median(times), sending.BATCH_GOAL_S, "s")]


def _read(context: Context, given: argparse.Namespace) -> list[bool]:
    program = shutil.which("wrk", path=context.settings.path)
    if program is None:
        raise StartError("There is no wrk: scripts/bootstrap.sh --bench installs it.")
    load = Load(connections=given.connections, seconds=given.seconds)
    runs, peak = reading.measured(context, program, load, given.rounds, reading.SIZES)
    print(f"\n## A cached asset\n\n{reading.table(runs)}\n")
    print(f"The service's memory was {peak:.0f} MiB at most.")
    return [
        _said(
            f"{size // reading.KIBIBYTE} KiB: nginx is faster by",
            reading.ratio(runs, size),
            reading.GOAL,
            "times",
        )
        for size in reading.SIZES
    ]


def _said(what: str, found: float, goal: float, unit: str) -> bool:
    is_reached = found <= goal
    verdict = "reached" if is_reached else "missed"
    print(f"- {what} {found:.2f} {unit}, at most {goal:g}: {verdict}")
    return is_reached


if __name__ == "__main__":
    sys.exit(main())
