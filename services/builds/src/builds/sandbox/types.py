"""What runs in a sandbox, with what limits, and how it ended."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal, Protocol

from msgspec import Struct

type Verdict = Literal[
    "ended",
    "timed_out",
    "cpu",
    "memory",
    "processes",
    "disk",
    "files",
    "log_flood",
    "output_flood",
]
type Heard = Callable[[bytes], None]


class Mount(Struct, frozen=True):
    """A file or a folder of the host, to be read at ``target`` and nowhere written."""

    source: Path
    target: str


class Limits(Struct, frozen=True, kw_only=True):
    """What one run may take. A process that wants more is ended, its neighbours are not."""

    wall_s: float
    memory_bytes: int
    processes: int
    cpus: float
    scratch_bytes: int
    output_bytes: int
    log_bytes: int
    # in the scratch folder, and once more in that of the output
    files: int = 20_000
    cpu_s: float = 3600.0
    # what has to be copied before anything runs, where nothing can be mounted
    input_bytes: int = 1 << 30


TRIAL = Limits(
    wall_s=30.0,
    memory_bytes=256 << 20,
    processes=32,
    cpus=1.0,
    scratch_bytes=1 << 20,
    output_bytes=1 << 20,
    log_bytes=65_536,
)
"""What a run may take that only shows whether anything runs."""


class Job(Struct, frozen=True, kw_only=True):
    """A program and what it sees. ``takes`` names a folder of it whose content is wanted after."""

    command: tuple[str, ...]
    mounts: tuple[Mount, ...]
    folder: str = "/p"
    takes: str = ""
    output: Path | None = None


class Outcome(Struct, frozen=True, kw_only=True):
    """How a run ended. ``log`` is what it said, cut at the limit."""

    verdict: Verdict
    code: int
    log: bytes
    duration_ms: int

    @property
    def succeeded(self) -> bool:
        """Whether it ended by itself, and well."""
        return self.verdict == "ended" and self.code == 0


class UnavailableSandboxError(Exception):
    """Nothing can be run safely on this machine; the message says why."""


class Sandbox(Protocol):
    """A place where code of strangers runs and nothing of ours is seen."""

    warning: str = ""
    """What everybody should know who relies on it; nothing where it does what it promises."""

    async def prepare(self) -> None:
        """Try it out; raises ``UnavailableSandboxError``."""

    async def run(self, job: Job, limits: Limits, heard: Heard) -> Outcome:
        """Run ``job``; ``heard`` gets what it says meanwhile. Cancelling ends all its processes."""
