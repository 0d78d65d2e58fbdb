"""What the runner writes down about itself, for the commands that ask."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec

from fleet.home import Home

type Phase = Literal["starting", "ready", "failed", "stopping", "stopped"]
type Condition = Literal["waiting", "starting", "ready", "done", "resting", "failed", "stopped"]


class ProcessState(msgspec.Struct, kw_only=True):
    """One process as the runner sees it; a process that rests is started again after a pause."""

    condition: Condition = "waiting"
    pid: int = 0
    # when it was last started, how long it took to be ready, how often it came back
    started_at: float = 0.0
    ready_after_s: float = 0.0
    restarts: int = 0
    once: bool = False
    needs: tuple[str, ...] = ()


class FleetState(msgspec.Struct, kw_only=True):
    """The whole fleet as the runner sees it."""

    pid: int
    started_at: float
    phase: Phase = "starting"
    failed: str = ""
    processes: dict[str, ProcessState] = {}


class AlreadyRunningError(Exception):
    """Another runner holds this home."""


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the lock of a home; the kernel lets go of it when the holder dies, however it dies."""
    with path.open("w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise AlreadyRunningError from exc
        file.write(str(os.getpid()))
        file.flush()
        yield


def is_running(home: Home) -> bool:
    """Say whether a runner lives in this home."""
    if not home.lock.exists():
        return False
    try:
        # reading what another process holds needs no more than a try
        with home.lock.open("r", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def read(home: Home) -> FleetState | None:
    """Return what the runner wrote last, or nothing where none has run."""
    try:
        return msgspec.json.decode(home.state.read_bytes(), type=FleetState)
    except FileNotFoundError:
        return None


def write(home: Home, state: FleetState) -> None:
    """Replace what was written; a reader sees the old state or the new one, never a half."""
    scratch = home.state.with_suffix(".new")
    scratch.write_bytes(msgspec.json.format(msgspec.json.encode(state)))
    scratch.replace(home.state)


class Request(msgspec.Struct, frozen=True):
    """What a command asks of the runner."""

    action: Literal["restart", "stop", "start"]
    name: str
