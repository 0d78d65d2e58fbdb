"""Limits for a whole tree of processes, where the kernel lets this process set them."""

import asyncio
import os
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol, override

from builds.sandbox.types import Limits, Verdict

_ROOT = Path("/sys/fs/cgroup")
_PARENT = "worldloom-builds"
_CONTROLLERS = ("memory", "pids", "cpu")
_PERIOD_US = 100_000
_TRIES = 100
_PAUSE_S = 0.01
# longer than any build, so that a group is not taken from one that is about to enter it
_STALE_S = 3600.0


class Group(Protocol):
    """One run's group of processes."""

    @property
    def entrances(self) -> list[Path]:
        """The files into which a process writes ``0`` to enter."""

    def exceeded(self, code: int) -> Verdict | None:
        """Which limit was the end of a run that ended with ``code``, if one was."""

    def kill(self) -> None:
        """End them all."""

    def remove(self) -> bool:
        """Remove the group; false while somebody is in it."""


class _Version1(Group):
    """A folder in each controller's own tree."""

    def __init__(self, name: str, limits: Limits) -> None:
        self._folders = {c: _ROOT / c / _PARENT / name for c in _CONTROLLERS}
        for folder in self._folders.values():
            folder.mkdir(parents=True)
        memory, pids, cpu = (self._folders[c] for c in _CONTROLLERS)
        _write(memory, {"memory.limit_in_bytes": limits.memory_bytes})
        _write(memory, {"memory.memsw.limit_in_bytes": limits.memory_bytes}, optional=True)
        _write(pids, {"pids.max": limits.processes})
        quota = int(limits.cpus * _PERIOD_US)
        _write(cpu, {"cpu.cfs_period_us": _PERIOD_US, "cpu.cfs_quota_us": quota})

    @property
    @override
    def entrances(self) -> list[Path]:
        return [folder / "cgroup.procs" for folder in self._folders.values()]

    @override
    def exceeded(self, code: int) -> Verdict | None:
        if _count(self._folders["memory"] / "memory.oom_control", "oom_kill"):
            return "memory"
        return (
            "processes" if code and _count(self._folders["pids"] / "pids.events", "max") else None
        )

    @override
    def kill(self) -> None:
        for process in (self._folders["pids"] / "cgroup.procs").read_text().split():
            _end(int(process))

    @override
    def remove(self) -> bool:
        gone = [_removed(folder) for folder in self._folders.values()]
        return all(gone)


class _Version2(Group):
    """One folder in the one tree."""

    def __init__(self, name: str, limits: Limits) -> None:
        self._folder = _ROOT / _PARENT / name
        self._folder.mkdir()
        quota = f"{int(limits.cpus * _PERIOD_US)} {_PERIOD_US}"
        limit = limits.memory_bytes
        _write(self._folder, {"memory.max": limit, "pids.max": limits.processes, "cpu.max": quota})
        _write(self._folder, {"memory.swap.max": 0, "memory.oom.group": 0}, optional=True)

    @property
    @override
    def entrances(self) -> list[Path]:
        return [self._folder / "cgroup.procs"]

    @override
    def exceeded(self, code: int) -> Verdict | None:
        if _count(self._folder / "memory.events", "oom_kill"):
            return "memory"
        return "processes" if code and _count(self._folder / "pids.events", "max") else None

    @override
    def kill(self) -> None:
        _write(self._folder, {"cgroup.kill": 1}, optional=True)

    @override
    def remove(self) -> bool:
        return _removed(self._folder)


def make(name: str, limits: Limits) -> Group | None:
    """Make a group; ``None`` where the machine does not let us, and lesser limits must do."""
    try:
        if (_ROOT / "cgroup.controllers").exists():
            _delegate()
            return _Version2(name, limits)
        return _Version1(name, limits)
    except OSError:
        return None


def _delegate() -> None:
    wanted = " ".join(f"+{c}" for c in _CONTROLLERS)
    parent = _ROOT / _PARENT
    parent.mkdir(exist_ok=True)
    for folder in (_ROOT, parent):
        _write(folder, {"cgroup.subtree_control": wanted})


def sweep() -> None:
    """Remove the empty groups of workers that did not come to do it."""
    oldest = time.time() - _STALE_S
    parents = [_ROOT / _PARENT, *(_ROOT / c / _PARENT for c in _CONTROLLERS)]
    for folder in (f for p in parents if p.is_dir() for f in p.iterdir() if f.is_dir()):
        with suppress(OSError):
            if folder.stat().st_mtime < oldest:
                folder.rmdir()


async def dissolve(group: Group) -> None:
    """End whoever is left in the group and remove it."""
    for _ in range(_TRIES):
        try:
            group.kill()
            if group.remove():
                return
        except FileNotFoundError:
            return
        await asyncio.sleep(_PAUSE_S)


def _write(folder: Path, values: Mapping[str, int | str], *, optional: bool = False) -> None:
    for name, value in values.items():
        try:
            (folder / name).write_text(str(value))
        except OSError:
            if not optional:
                raise


def _count(file: Path, name: str) -> int:
    try:
        lines = [line.split() for line in file.read_text().splitlines()]
    except OSError:
        return 0
    return sum(int(words[1]) for words in lines if words[0] == name)


def _end(process: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


def _removed(folder: Path) -> bool:
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
