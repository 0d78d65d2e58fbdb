"""The service under measurement, as it is deployed, and whoever looks at it from behind."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import msgspec

from benchmarks.harness.cases import BadAnswerError
from benchmarks.harness.ours import gateway_headers
from benchmarks.harness.processes import StartError, answers, running
from fleet import services
from fleet.context import PYTHON, Context
from fleet.ports import LOOPBACK
from fleet.processes import Process
from fleet.stores import postgres

BASE = "/api/v1/projects"
BATCH = 500
_NOWHERE = f"nats://{LOOPBACK}:9"
_TIMEOUT_S = 300.0
_RESET_PEAK = "5"

type Step = dict[str, str]


class Service(msgspec.Struct, frozen=True):
    """One process of a service, and who asks it."""

    client: httpx.Client
    pid: int
    port: int
    headers: dict[str, str]


@contextmanager
def service(
    context: Context,
    user: UUID,
    *,
    name: str = "projects",
    port: int = 0,
    more: dict[str, str] | None = None,
) -> Iterator[Service]:
    """Run one process with its default settings but for ``more``; its outbox waits."""
    port = port or getattr(context.ports, name)
    process = Process(
        name=name,
        command=(PYTHON, "-m", "common.serve", f"{name}.main:create_app"),
        environment=services.environment(context, name)
        | {"ACCESS_LOG": "false", "NATS_URL": _NOWHERE, "PORT": str(port)}
        | (more or {}),
    )
    url = f"http://{LOOPBACK}:{port}"
    log = context.home.log(f"{name}-measured-{port}")
    headers = gateway_headers(context.secrets.fleet_secret, user)
    with running(process, log, context.home.repository) as child:
        answers(child, f"{url}/health/live", log)
        with httpx.Client(base_url=url, timeout=_TIMEOUT_S) as client:
            yield Service(client, child.pid, port, headers)


def ends_by_signal() -> None:
    """Let a signal end the benchmark by an exception, so that what it started is stopped."""

    def end(number: int, _: FrameType | None) -> None:
        raise SystemExit(f"Ended by {signal.Signals(number).name}.")

    signal.signal(signal.SIGTERM, end)


def reset_peak(pid: int) -> float:
    """Let the kernel forget a process's peak; return what it has now, in MiB."""
    Path(f"/proc/{pid}/clear_refs").write_text(_RESET_PEAK, encoding="ascii")
    return memory_mb(pid, "VmRSS")


def memory_mb(pid: int, name: str) -> float:
    """Return what the kernel says of a process's memory, in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    raise StartError(f"The kernel does not tell {name}.")


def project(of: Service, name: str) -> str:
    """Make an empty project; return its path."""
    answer = of.client.post(BASE, json={"name": name}, headers=of.headers)
    return answer.raise_for_status().headers["location"]


def imported(of: Service, archive: bytes) -> str:
    """Make a project of an archive; return its path."""
    headers = of.headers | {"content-type": "application/zip"}
    answer = of.client.post(f"{BASE}/import", content=archive, headers=headers)
    if answer.status_code != httpx.codes.CREATED:
        raise BadAnswerError(f"An import was answered {answer.status_code}: {answer.text[:500]}")
    return answer.headers["location"]


def write(of: Service, to: str, steps: list[Step]) -> None:
    """Take steps in a project, all or none of them."""
    sends = {"operations": steps}
    answer = of.client.post(f"{to}/files/batch", json=sends, headers=of.headers)
    if answer.status_code != httpx.codes.OK:
        raise BadAnswerError(f"A batch was answered {answer.status_code}: {answer.text[:500]}")


def ask(context: Context, query: str, *given: object) -> list[Any]:
    """Return the rows of a query, as the database's administrator."""

    async def rows() -> list[Any]:
        connection = await asyncpg.connect(postgres.url(context, postgres.USER))
        try:
            return list(await connection.fetch(query, *given))
        finally:
            await connection.close()

    return asyncio.run(rows())


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Return a Markdown table, its first column to the left."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = [_line(row, widths) for row in [head, *rows]]
    rule = ("-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:]))
    lines.insert(1, _line(rule, widths))
    return "\n".join(lines)


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    cells = [c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True)]
    return "| " + " | ".join([row[0].ljust(widths[0]), *cells]) + " |"
