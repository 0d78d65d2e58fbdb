"""The sandbox of Linux's own parts: bubblewrap, seccomp, resource limits, and cgroups if it may."""

import fcntl
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import override

import structlog

from builds.sandbox import arguments, cgroups, children, script, seccomp
from builds.sandbox.arguments import Disks, Programs
from builds.sandbox.process import Process
from builds.sandbox.types import (
    TRIAL,
    Heard,
    Job,
    Limits,
    Outcome,
    Sandbox,
    UnavailableSandboxError,
)
from builds.sandbox.watch import Said, Ways, watched
from common.ids import uuid7

log = structlog.get_logger()

_PLACES = "/usr/bin:/bin:/usr/sbin:/sbin"
# above the numbers that a shell can name, where nothing of ours can be meant by mistake
_FIRST_FD = 40
_SHARED = "worldloom-sandbox-"


class Bubblewrap(Sandbox):
    """As root it runs its programs as ``user``; as anybody else, as that body."""

    def __init__(self, user: int) -> None:
        self._user = user if os.geteuid() == 0 else None
        self._filter = b""
        self._programs: Programs
        self._disks: Disks

    @override
    async def prepare(self) -> None:
        self._programs = _found()
        self._disks = _empty_folders()
        self._filter = seccomp.program()
        children.adopt()
        cgroups.sweep()
        trial = Job(command=("/t/busybox", "true"), mounts=(), folder="/o")
        outcome = await self.run(trial, TRIAL, _ignore)
        if not outcome.succeeded:
            said = outcome.log.decode(errors="replace").strip()
            raise UnavailableSandboxError(f"bubblewrap does not work here: {said}")
        log.info("sandbox_ready", start_ms=outcome.duration_ms, user=self._user)

    @override
    async def run(self, job: Job, limits: Limits, heard: Heard) -> Outcome:
        began = time.monotonic()
        group = cgroups.make(f"{os.getpid()}-{uuid7()}", limits)
        said = Said(limits, heard)

        def start(ways: Ways) -> Process:
            return self._start(job, limits, group, ways)

        def kill() -> None:
            if group is not None:
                group.kill()

        try:
            verdict, code = await watched(limits, said, job.output, start, kill)
            if verdict == "ended":
                exceeded = group.exceeded(code) if group is not None else None
                verdict = exceeded or script.verdict(code)
        finally:
            if group is not None:
                await cgroups.dissolve(group)
            await children.gone()
            # of workers that were killed since
            cgroups.sweep()
        duration_ms = round((time.monotonic() - began) * 1e3)
        return Outcome(verdict=verdict, code=code, log=said.text, duration_ms=duration_ms)

    def _start(self, job: Job, limits: Limits, group: cgroups.Group | None, ways: Ways) -> Process:
        programs, writing = self._programs, ways.output.writing
        entrances = group.entrances if group is not None else []
        has_group = group is not None
        with _memory(self._filter) as filter_fd:
            options = arguments.inside(job, limits, programs.busybox, self._disks, filter_fd)
            # in a file, so that /proc/1/cmdline tells nothing
            with _memory(b"".join(o.encode() + b"\0" for o in options)) as options_fd:
                command = [
                    *arguments.entering(programs, entrances),
                    *arguments.outside(
                        programs, self._disks, limits, user=self._user, has_group=has_group
                    ),
                    *(programs.bwrap, "--args", str(options_fd), "--"),
                    *script.around(job, output_fd=writing),
                ]
                return Process(command, ways.log.writing, [filter_fd, options_fd, writing])


def _found() -> Programs:
    names = Programs.__struct_fields__
    found = {name: shutil.which(name, path=_PLACES) for name in names}
    missing = [name for name, place in found.items() if place is None]
    if missing:
        raise UnavailableSandboxError(f"Not installed: {', '.join(missing)}.")
    return Programs(**{name: place for name, place in found.items() if place is not None})


def _empty_folders() -> Disks:
    """Folders to mount disks at, each in a mount namespace of its own: all workers share them."""
    shared = Path(tempfile.gettempdir()) / f"{_SHARED}{os.geteuid()}"
    shared.mkdir(mode=0o755, exist_ok=True)
    found = shared.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        shared = Path(tempfile.mkdtemp(prefix=_SHARED))
    disks = Disks(shared / "scratch", shared / "output")
    for folder in (shared, disks.scratch, disks.output):
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)
    return disks


@contextmanager
def _memory(content: bytes) -> Iterator[int]:
    made = os.memfd_create("sandbox")
    try:
        os.write(made, content)
        os.lseek(made, 0, os.SEEK_SET)
        number = fcntl.fcntl(made, fcntl.F_DUPFD_CLOEXEC, _FIRST_FD)
    finally:
        os.close(made)
    try:
        yield number
    finally:
        os.close(number)


def _ignore(_: bytes) -> None:
    """Nobody listens."""
