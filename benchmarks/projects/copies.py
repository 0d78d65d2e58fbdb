"""Measure what copies of whole projects cost: ``python -m benchmarks.projects.copies``.

One process of the projects service forks and duplicates a project of many files, and one of many
bytes. Everything is started here, checked, and stopped again.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable, Iterator
from statistics import median

import httpx
import msgspec

from benchmarks.harness import machine
from benchmarks.harness.cases import BadAnswerError
from benchmarks.harness.processes import StartError
from benchmarks.harness.stores import stores
from benchmarks.projects import subject
from benchmarks.projects.subject import Service
from common.ids import uuid7
from fleet.context import Context

GOAL_S = 1.0
_TIMEOUT_S = 60.0
_BATCH = 100
_TEXT_CHARS = 2_000
_LARGE_BYTES = 10_000_000
_POLL_S = 0.1
_REST_S = 1.0
_CONTENTS = "SELECT count(*) FROM projects.blob"


class Measured(msgspec.Struct, frozen=True):
    """The copies of one project in one way."""

    name: str
    files: int
    megabytes: float
    seconds: list[float]


def main() -> int:
    """Measure, print, and say by the exit code whether answers were right and the goal reached."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--files", type=int, default=10_000, help="of the one project")
    parser.add_argument("--megabytes", type=int, default=1_000, help="of the other")
    parser.add_argument("--rounds", type=int, default=7, help="after one that does not count")
    given = parser.parse_args()
    subject.ends_by_signal()
    try:
        with stores(relay=False, more=("s3-buckets",)) as context:
            about = machine.described(context.programs.postgres_bin, context.settings.path)
            with subject.service(context, uuid7()) as service:
                results = list(_measured(context, service, given))
    except (BadAnswerError, StartError, TimeoutError, httpx.HTTPError) as exc:
        print(f"\nNothing was measured: {exc!r}", file=sys.stderr)
        return 1
    found_s = max(median(r.seconds) for r in results if r.name.startswith("fork"))
    is_reached = found_s < GOAL_S
    verdict = "reached" if is_reached else "missed"
    goal = f"By its median a fork takes {found_s:.2f} s, less than {GOAL_S:.0f} s: {verdict}."
    print("\n".join(["", *about, "", _table(results), "", goal]))
    return 0 if is_reached else 2


def _measured(context: Context, service: Service, given: argparse.Namespace) -> Iterator[Measured]:
    many = _many_files(service, given.files)
    large = _many_bytes(service, given.megabytes)
    # as the server does by itself within a minute
    subject.ask(context, "VACUUM ANALYZE")
    contents = _contents(context)
    ways: dict[str, Callable[[Service, str], str]] = {"fork": _fork, "duplicate": _duplicate}
    for source, files, megabytes in (
        (many, given.files, given.files * _TEXT_CHARS / 1e6),
        (large, given.megabytes * 1_000_000 // _LARGE_BYTES, given.megabytes),
    ):
        whole = _tree(service, source)
        if whole[1] != files:
            raise BadAnswerError(f"The project has {whole[1]} files.")
        for name, way in ways.items():
            seconds = []
            for _ in range(given.rounds + 1):
                began = time.perf_counter()
                copy = way(service, source)
                seconds.append(time.perf_counter() - began)
                if copy == source or _tree(service, copy) != whole:
                    raise BadAnswerError("The copy is not what it is of.")
                # the copy's keyframe is made after the answer, beside what comes next
                time.sleep(_REST_S)
            # the first prepares statements and fills caches
            yield Measured(f"{name} of {files:,} files", files, megabytes, seconds[1:])
    if _contents(context) != contents:
        raise BadAnswerError("There are contents that there were not before.")


def _fork(service: Service, source: str) -> str:
    answer = service.client.post(f"{source}/fork", headers=service.headers)
    if answer.status_code != httpx.codes.CREATED:
        raise BadAnswerError(f"The fork was answered {answer.status_code}: {answer.text[:500]}")
    return answer.headers["location"]


def _duplicate(service: Service, source: str) -> str:
    answer = service.client.post(f"{source}/duplicate", headers=service.headers)
    if answer.status_code != httpx.codes.ACCEPTED:
        raise BadAnswerError(f"The job was answered {answer.status_code}: {answer.text[:500]}")
    give_up_at = time.monotonic() + _TIMEOUT_S
    while time.monotonic() < give_up_at:
        job = service.client.get(answer.headers["location"], headers=service.headers)
        data = job.raise_for_status().json()["data"]
        if data["status"] == "complete":
            return str(data["result"]["href"])
        if data["completedAt"]:
            raise BadAnswerError(f"The job ended so: {data}")
        time.sleep(_POLL_S)
    raise TimeoutError("A duplicate takes too long.")


def _many_files(service: Service, count: int) -> str:
    """Make a project of small files, no two of them alike."""
    project = subject.project(service, "Many files")
    chance = random.Random(count)  # noqa: S311 - test data, not a secret
    for start in range(0, count, _BATCH):
        operations = [
            {
                "op": "create",
                "path": f"src/{number % 100}/{number}.ts",
                "content": chance.randbytes(_TEXT_CHARS // 2).hex(),
            }
            for number in range(start, min(start + _BATCH, count))
        ]
        sends = {"operations": operations}
        made = service.client.post(f"{project}/files/batch", json=sends, headers=service.headers)
        made.raise_for_status()
    return project


def _many_bytes(service: Service, megabytes: int) -> str:
    """Make a project of large files, which the object store has."""
    project = subject.project(service, "Many bytes")
    chance = random.Random(megabytes)  # noqa: S311 - test data, not a secret
    headers = service.headers | {"content-type": "application/octet-stream"}
    for number in range(megabytes * 1_000_000 // _LARGE_BYTES):
        data = chance.randbytes(_LARGE_BYTES)
        path = f"{project}/files/art/{number}.bin"
        service.client.put(path, content=data, headers=headers).raise_for_status()
    return project


def _tree(service: Service, project: str) -> tuple[str, int]:
    answer = service.client.get(f"{project}/tree", headers=service.headers)
    data = answer.raise_for_status().json()["data"]
    return data["hash"], len(data["entries"])


def _contents(context: Context) -> int:
    """How many contents there are, whoever has them."""
    return int(subject.ask(context, _CONTENTS)[0][0])


def _table(results: list[Measured]) -> str:
    head = ("", "MB", "median s", "slowest s")
    return subject.table(head, [_row(result) for result in results])


def _row(result: Measured) -> tuple[str, ...]:
    seconds = result.seconds
    return (
        result.name,
        f"{result.megabytes:,.0f}",
        f"{median(seconds):.2f}",
        f"{max(seconds):.2f}",
    )


if __name__ == "__main__":
    sys.exit(main())
