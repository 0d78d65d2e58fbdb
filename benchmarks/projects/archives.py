"""Measure what whole projects cost: ``python -m benchmarks.projects.archives``.

One process of the projects service imports and exports a large project, and refuses two hostile
ones. Everything is started here, checked, and stopped again.
"""

import argparse
import hashlib
import sys
import time
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import httpx
import msgspec

from benchmarks.harness import machine
from benchmarks.harness.cases import BadAnswerError
from benchmarks.harness.processes import StartError
from benchmarks.harness.stores import stores
from benchmarks.projects import samples, subject
from benchmarks.projects.subject import BASE, Service
from common.ids import uuid7

GOAL_MB = 100
_PIECE = 1_048_576
_REST_S = 3.0
_WARM_MB = 2


class Measured(msgspec.Struct, frozen=True):
    """One request."""

    name: str
    megabytes: float
    seconds: float
    before_mb: float
    peak_mb: float


def main() -> int:
    """Measure, print, and say by the exit code whether answers were right and the goal reached."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--megabytes", type=int, default=200, help="how large the project is")
    given = parser.parse_args()
    subject.ends_by_signal()
    try:
        with stores(relay=False, more=("s3-buckets",)) as context:
            about = machine.described(context.programs.postgres_bin, context.settings.path)
            with subject.service(context, uuid7()) as service:
                results = _measured(service, context.home.cache, given.megabytes)
    except (BadAnswerError, StartError, TimeoutError, httpx.HTTPError) as exc:
        print(f"\nNothing was measured: {exc!r}", file=sys.stderr)
        return 1
    more_mb = max(r.peak_mb for r in results) - results[0].before_mb
    is_reached = more_mb <= GOAL_MB
    verdict = "reached" if is_reached else "missed"
    goal = f"The highest peak is {more_mb:.0f} MB above the start, at most {GOAL_MB}: {verdict}."
    print("\n".join(["", *about, "", _table(results), "", goal]))
    return 0 if is_reached else 2


def _measured(service: Service, folder: Path, megabytes: int) -> list[Measured]:
    warm, large, back = folder / "warm.zip", folder / "large.zip", folder / "back.zip"
    many, bomb = folder / "many.zip", folder / "bomb.zip"
    samples.honest(warm, _WARM_MB)
    count = samples.honest(large, megabytes)
    samples.many(many)
    samples.bomb(bomb)
    # the first ones connect, compile and fill caches
    _export(service, _import(service, warm), folder / "warm-back.zip")
    results: list[Measured] = []

    def measure[T](name: str, size: float, work: Callable[[], T]) -> T:
        before_mb, began = subject.reset_peak(service.pid), time.perf_counter()
        found = work()
        seconds = time.perf_counter() - began
        results.append(
            Measured(name, size, seconds, before_mb, subject.memory_mb(service.pid, "VmHWM"))
        )
        return found

    first = measure("import", megabytes, lambda: _import(service, large))
    digest = measure("export", megabytes, lambda: _export(service, first, back))
    second = measure("import of the export", megabytes, lambda: _import(service, back))
    slow = measure("export, slowly", megabytes, lambda: _export(service, second, back, _REST_S))
    trees = [_tree(service, project) for project in (first, second)]
    if digest != slow or trees[0] != trees[1] or trees[0][1] != count:
        raise BadAnswerError("What came back is not what was sent.")
    for name, path in (("a million entries", many), ("a bomb", bomb)):
        size = path.stat().st_size / 1e6
        measure(name, size, lambda path=path: _refused(service, path))  # type: ignore[misc]  # mypy takes the default for another type
    return results


def _import(service: Service, path: Path) -> str:
    answer = _send(service, path)
    if answer.status_code != httpx.codes.CREATED:
        raise BadAnswerError(f"The import was answered {answer.status_code}: {answer.text[:500]}")
    return answer.headers["location"]


def _refused(service: Service, path: Path) -> None:
    answer = _send(service, path)
    if answer.json()["error"]["code"] != "UNSAFE_ARCHIVE":
        raise BadAnswerError(f"{path.name} was answered {answer.status_code}: {answer.text[:500]}")


def _send(service: Service, path: Path) -> httpx.Response:
    headers = service.headers | {"content-type": "application/zip"}
    with path.open("rb") as file:
        pieces = iter(lambda: file.read(_PIECE), b"")
        return service.client.post(f"{BASE}/import", content=pieces, headers=headers)


def _export(service: Service, project: str, to: Path, rest_s: float = 0) -> str:
    """Have an archive; stop for a while after the first piece."""
    digest = hashlib.sha256()
    with (
        service.client.stream("GET", f"{project}/export", headers=service.headers) as answer,
        to.open("wb") as file,
    ):
        if answer.status_code != httpx.codes.OK:
            raise BadAnswerError(f"The export was answered {answer.status_code}.")
        for number, piece in enumerate(answer.iter_raw(_PIECE)):
            digest.update(piece)
            file.write(piece)
            if number == 0:
                time.sleep(rest_s)
    found = f"sha-256=:{b64encode(digest.digest()).decode()}:"
    if answer.headers["repr-digest"] != found:
        raise BadAnswerError("The digest is not that of the archive.")
    return found


def _tree(service: Service, project: str) -> tuple[str, int]:
    data = service.client.get(f"{project}/tree", headers=service.headers).json()["data"]
    return data["hash"], len(data["entries"])


def _table(results: list[Measured]) -> str:
    head = ("", "MB", "s", "MB/s", "RSS MB before", "peak MB")
    return subject.table(head, [_row(result) for result in results])


def _row(result: Measured) -> tuple[str, ...]:
    return (
        result.name,
        f"{result.megabytes:.0f}",
        f"{result.seconds:.1f}",
        f"{result.megabytes / result.seconds:.0f}",
        f"{result.before_mb:.0f}",
        f"{result.peak_mb:.0f}",
    )


if __name__ == "__main__":
    sys.exit(main())
