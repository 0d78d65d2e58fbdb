"""Limits for a whole tree of processes, where the kernel lets this process set them."""

import asyncio
import fcntl
import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol, override

from builds.sandbox.types import Limits, Verdict

ROOT = Path("/sys/fs/cgroup")
PARENT = "worldloom-builds"

_CONTROLLERS = ("memory", "pids", "cpu")
_PERIOD_US = 100_000
_TRIES = 100
_PAUSE_S = 0.01
# between a group's making and its lock there is a moment
_STALE_S = 10.0
# of 1024 and of 100, which everybody else has: builds get what the API leaves, and all if it sleeps
_SHARES = 64
_WEIGHT = 6
_DISK_WEIGHT = 10


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


class Version1(Group):
    """A folder in each controller's own tree."""

    def __init__(self, root: Path, name: str, limits: Limits) -> None:
        parents = {c: root / c / PARENT for c in _CONTROLLERS}
        if (root / "blkio").is_dir():
            parents["blkio"] = root / "blkio" / PARENT
        self._folders = {c: parent / name for c, parent in parents.items()}
        self._locks: list[int] = []
        try:
            for folder in self._folders.values():
                folder.mkdir(parents=True)
                self._locks.append(_locked(folder))
            self._write(parents, limits)
        except OSError:
            self.remove()
            raise

    def _write(self, parents: Mapping[str, Path], limits: Limits) -> None:
        memory, pids, cpu = (self._folders[c] for c in _CONTROLLERS)
        _write(memory, {"memory.limit_in_bytes": limits.memory_bytes})
        _write(memory, {"memory.memsw.limit_in_bytes": limits.memory_bytes}, optional=True)
        _write(pids, {"pids.max": limits.processes})
        quota = int(limits.cpus * _PERIOD_US)
        _write(cpu, {"cpu.cfs_period_us": _PERIOD_US, "cpu.cfs_quota_us": quota})
        # the parent is what stands beside the others
        _write(parents["cpu"], {"cpu.shares": _SHARES})
        if "blkio" in parents:
            weights = {"blkio.weight": _DISK_WEIGHT, "blkio.bfq.weight": _DISK_WEIGHT}
            _write(parents["blkio"], weights, optional=True)

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
        _unlock(self._locks)
        gone = [_removed(folder) for folder in self._folders.values()]
        return all(gone)


class Version2(Group):
    """One folder in the one tree."""

    def __init__(self, root: Path, name: str, limits: Limits) -> None:
        parent = root / PARENT
        parent.mkdir(exist_ok=True)
        for folder in (root, parent):
            _write(folder, {"cgroup.subtree_control": " ".join(f"+{c}" for c in _CONTROLLERS)})
            _write(folder, {"cgroup.subtree_control": "+io"}, optional=True)
        # the parent is what stands beside the others
        _write(parent, {"cpu.weight": _WEIGHT})
        weights = {"io.weight": _DISK_WEIGHT, "io.bfq.weight": _DISK_WEIGHT}
        _write(parent, weights, optional=True)
        self._folder = parent / name
        self._folder.mkdir()
        self._locks = [_locked(self._folder)]
        try:
            self._write(limits)
        except OSError:
            self.remove()
            raise

    def _write(self, limits: Limits) -> None:
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
        _unlock(self._locks)
        return _removed(self._folder)


def make(name: str, limits: Limits, root: Path = ROOT) -> Group | None:
    """Make a group; ``None`` where the machine does not let us, and lesser limits must do."""
    version = Version2 if (root / "cgroup.controllers").exists() else Version1
    try:
        return version(root, name, limits)
    except OSError:
        return None


def sweep(root: Path = ROOT, *, older_s: float = _STALE_S) -> None:
    """Remove the groups of workers that did not come to do it: nobody holds their locks."""
    oldest = time.time() - older_s
    for folder in _all_groups(root):
        with suppress(OSError):
            if folder.stat().st_mtime < oldest:
                locked = _locked(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _unlock([locked])
                folder.rmdir()


def _all_groups(root: Path) -> Iterator[Path]:
    for parent in (root / PARENT, *(root / c / PARENT for c in (*_CONTROLLERS, "blkio"))):
        if parent.is_dir():
            yield from (folder for folder in parent.iterdir() if folder.is_dir())


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


def _locked(folder: Path, how: int = fcntl.LOCK_SH) -> int:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(opened, how)
    except OSError:
        os.close(opened)
        raise
    return opened


def _unlock(locks: list[int]) -> None:
    while locks:
        os.close(locks.pop())


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
