"""Measure what copies of whole projects cost: ``python -m benchmarks.projects.copies``.

One process of the projects service forks and duplicates a project of many files, and one of many
bytes. Everything is started here, checked, and stopped again.
"""

import argparse
import asyncio
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from types import FrameType

import asyncpg
import httpx
import msgspec

from benchmarks.harness import database, machine
from benchmarks.harness.cases import BadAnswerError
from benchmarks.harness.ours import gateway_headers
from benchmarks.harness.processes import StartError, answers, running
from benchmarks.harness.stores import stores
from common.ids import uuid7
from fleet import services
from fleet.context import PYTHON, Context
from fleet.ports import LOOPBACK
from fleet.processes import Process
from fleet.stores import postgres

NAME = "projects"
GOAL_S = 1.0
_BASE = "/api/v1/projects"
_NOWHERE = f"nats://{LOOPBACK}:9"
_TIMEOUT_S = 60.0
_BATCH = 100
_TEXT_CHARS = 2_000
_LARGE_BYTES = 10_000_000
_POLL_S = 0.1
_CONTENTS = "SELECT count(*) FROM projects.blob"


class Service(msgspec.Struct, frozen=True):
    """The service under measurement, and who asks it."""

    client: httpx.Client
    headers: dict[str, str]
    database_url: str


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
    signal.signal(signal.SIGTERM, _end)
    try:
        with stores(relay=False, service=NAME, more=("s3-buckets",)) as context:
            about = machine.described(context.programs.postgres_bin, context.settings.path)
            with _service(context) as service:
                results = list(_measured(service, given))
    except (BadAnswerError, StartError, TimeoutError, httpx.HTTPError) as exc:
        print(f"\nNothing was measured: {exc!r}", file=sys.stderr)
        return 1
    found_s = max(median(r.seconds) for r in results if r.name.startswith("fork"))
    is_reached = found_s < GOAL_S
    verdict = "reached" if is_reached else "missed"
    goal = f"By its median a fork takes {found_s:.2f} s, less than {GOAL_S:.0f} s: {verdict}."
    print("\n".join(["", *about, "", _table(results), "", goal]))
    return 0 if is_reached else 2


def _end(number: int, _: FrameType | None) -> None:
    # an exception, so that every context on the way out stops what it started
    raise SystemExit(f"Ended by {signal.Signals(number).name}.")


@contextmanager
def _service(context: Context) -> Iterator[Service]:
    """Run the service with its default settings; its outbox waits."""
    process = Process(
        name=NAME,
        command=(PYTHON, "-m", "common.serve", "projects.main:create_app"),
        environment=services.environment(context, NAME)
        | {"ACCESS_LOG": "false", "NATS_URL": _NOWHERE},
    )
    url = f"http://{LOOPBACK}:{context.ports.projects}"
    log = context.home.log(f"{NAME}-measured")
    headers = gateway_headers(context.secrets.fleet_secret, uuid7())
    with running(process, log, context.home.repository) as child:
        answers(child, f"{url}/health/live", log)
        with httpx.Client(base_url=url, timeout=_TIMEOUT_S) as client:
            yield Service(client, headers, postgres.url(context, postgres.USER))


def _measured(service: Service, given: argparse.Namespace) -> Iterator[Measured]:
    many = _many_files(service, given.files)
    large = _many_bytes(service, given.megabytes)
    # as the server does by itself within a minute
    database.execute(service.database_url, "VACUUM ANALYZE")
    contents = _contents(service)
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
            # the first prepares statements and fills caches
            yield Measured(f"{name} of {files:,} files", files, megabytes, seconds[1:])
    if _contents(service) != contents:
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


def _project(service: Service, name: str) -> str:
    answer = service.client.post(_BASE, json={"name": name}, headers=service.headers)
    return answer.raise_for_status().headers["location"]


def _many_files(service: Service, count: int) -> str:
    """Make a project of small files, no two of them alike."""
    project = _project(service, "Many files")
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
    project = _project(service, "Many bytes")
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


def _contents(service: Service) -> int:
    """How many contents there are, whoever has them."""

    async def count() -> int:
        connection = await asyncpg.connect(service.database_url)
        try:
            return int(await connection.fetchval(_CONTENTS))
        finally:
            await connection.close()

    return asyncio.run(count())


def _table(results: list[Measured]) -> str:
    head = ("", "MB", "median s", "slowest s")
    rows = [head, *(_row(result) for result in results)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    lines = [
        "| " + " | ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    lines.insert(1, "| " + " | ".join("-" * width for width in widths) + " |")
    return "\n".join(lines)


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
