"""Logins that never end: so many at once, each followed by the next.

wrk sends them, for a client in Python would take as much of the processors as what it asks.
"""

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from benchmarks.auth.people import Person, Service, anonymous

SCRIPT = Path(__file__).with_name("logins.lua")
# longer than any load beside it
_SECONDS = 600
_TIMEOUT_S = 30
_BEGINS_WITHIN_S = 1.0


class Logins(msgspec.Struct):
    """What came of the logins; refused are those that were told to come back."""

    seconds: list[float] = []
    refused: int = 0
    fault: str = ""


@contextmanager
def logins(program: str, service: Service, parallel: int, folder: Path) -> Iterator[Logins]:
    """Log people in, ``parallel`` of them at any time; when the context ends it is told what came.

    ``program`` is wrk; ``folder`` is for its plan.
    """
    told = Logins()
    people = service.people
    plan = folder / "logins.plan"
    lines = [_line(service, people[number % len(people)]) for number in range(parallel)]
    plan.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    each = (f"-t{parallel}", f"-c{parallel}", f"-d{_SECONDS}s", "--timeout", f"{_TIMEOUT_S}s")
    running = subprocess.Popen(
        (program, *each, "-s", str(SCRIPT), service.url, "--", str(plan)), stdout=subprocess.PIPE
    )
    try:
        time.sleep(_BEGINS_WITHIN_S)
        yield told
    finally:
        running.send_signal(signal.SIGINT)
        said, _ = running.communicate(timeout=_TIMEOUT_S)
    found = msgspec.json.decode(said.strip().splitlines()[-1], type=Logins)
    told.seconds, told.refused, told.fault = found.seconds, found.refused, found.fault


def _line(service: Service, who: Person) -> str:
    sends = {"login": who.email, "password": who.password, "tokenDelivery": "body"}
    headers = anonymous(service.secret) | {"content-type": "application/json"}
    pairs = [part for pair in headers.items() for part in pair]
    return "\t".join((str(who.id), msgspec.json.encode(sends).decode(), *pairs))
