"""Run wrk with a plan of requests, and read what it measured."""

import subprocess
from collections.abc import Iterable
from pathlib import Path

import msgspec

SCRIPT = Path(__file__).with_name("drive.lua")
MARK = "0" * 16
_SLACK_S = 20.0


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """How hard a contender is driven: each connection pauses so long, on average."""

    connections: int
    seconds: int
    pause_ms: int = 0


class Drive(msgspec.Struct, frozen=True, rename="camel"):
    """What wrk saw; ``refused`` are answers of 400 and more, ``broken`` are connections."""

    requests: int
    duration_us: int
    bytes: int
    refused: int
    broken: int
    p50_us: int
    p95_us: int
    p99_us: int

    @property
    def per_s(self) -> float:
        """Requests a second."""
        return self.requests * 1e6 / self.duration_us


class Request(msgspec.Struct, frozen=True):
    """A request of a plan; ``MARK`` in its body becomes another number each time."""

    method: str
    path: str
    body: str
    headers: dict[str, str]

    def line(self) -> str:
        """Return the request as the script reads it."""
        pairs = [part for pair in self.headers.items() for part in pair]
        return "\t".join((self.method, self.path, self.body, *pairs))


def write_plan(path: Path, requests: Iterable[Request]) -> Path:
    """Write a plan down for the script."""
    path.write_text("".join(f"{request.line()}\n" for request in requests), encoding="utf-8")
    return path


def drive(program: str, url: str, plan: Path, load: Load, stamp: int) -> Drive:
    """Send the plan's requests for a while; ``stamp`` is the first number in bodies.

    One thread: the machine's other processors are for the contender and its database.
    """
    options = (f"-c{load.connections}", f"-d{load.seconds}s", "-t1", "--timeout", "10s")
    ended = subprocess.run(
        (
            program,
            *options,
            "-s",
            str(SCRIPT),
            url,
            "--",
            str(plan),
            str(stamp),
            str(load.pause_ms),
        ),
        capture_output=True,
        check=True,
        timeout=load.seconds + _SLACK_S,
    )
    return msgspec.json.decode(ended.stdout.strip().splitlines()[-1], type=Drive)
