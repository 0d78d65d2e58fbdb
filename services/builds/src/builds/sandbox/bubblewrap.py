"""The sandbox of Linux's own parts: bubblewrap, seccomp, resource limits, and cgroups if it may."""

import asyncio
import fcntl
import os
import shutil
import time
from collections.abc import Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, override

import structlog

from builds.sandbox import arguments, cgroups, children, seccomp
from builds.sandbox.process import Pipe, Process
from builds.sandbox.types import (
    Heard,
    Job,
    Limits,
    Outcome,
    Sandbox,
    UnavailableSandboxError,
    Verdict,
)
from common.ids import uuid7

log = structlog.get_logger()

_PROGRAMS = ("bwrap", "busybox", "setpriv", "prlimit")
_PLACES = "/usr/bin:/bin:/usr/sbin:/sbin"
# above the numbers that a shell can name, where nothing of ours can be meant by mistake
_FIRST_FD = 40
_FLOOD = 4
_AFTER_S = 5.0
_TRIAL = Limits(
    wall_s=10.0,
    memory_bytes=256 << 20,
    processes=32,
    cpus=1.0,
    scratch_bytes=1 << 20,
    output_bytes=1 << 20,
    log_bytes=65_536,
)
_ENTER = 'while [ "$1" != -- ]; do echo 0 >"$1" || exit 125; shift; done; shift; exec "$@"'
_TAKE = '"$@"; code=$?; [ $code = 0 ] && tar -cf - -C {folder} . >&{fd}; exit $code'


class _FloodError(Exception):
    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict)
        self.verdict = verdict


class Bubblewrap(Sandbox):
    """As root it runs its programs as ``user``; as anybody else, as that body."""

    def __init__(self, user: int) -> None:
        self._user = user if os.geteuid() == 0 else None
        self._filter = b""
        self._programs: dict[str, Path] = {}

    @override
    async def prepare(self) -> None:
        self._programs = _found()
        self._filter = seccomp.program()
        children.adopt()
        cgroups.sweep()
        trial = Job(command=("/t/busybox", "true"), mounts=(), folder="/o")
        outcome = await self.run(trial, _TRIAL, _ignore)
        if not outcome.succeeded:
            said = outcome.log.decode(errors="replace").strip()
            raise UnavailableSandboxError(f"bubblewrap does not work here: {said}")
        log.info("sandbox_ready", start_ms=outcome.duration_ms, user=self._user)

    @override
    async def run(self, job: Job, limits: Limits, heard: Heard) -> Outcome:
        began = time.monotonic()
        group = cgroups.make(f"{os.getpid()}-{uuid7()}", limits)
        said = _Said(limits, heard)
        try:
            verdict, code = await self._watched(job, limits, group, said)
            if group is not None and verdict == "ended":
                verdict = group.exceeded(code) or verdict
        finally:
            if group is not None:
                await cgroups.dissolve(group)
            children.bury()
        duration_ms = round((time.monotonic() - began) * 1e3)
        return Outcome(verdict=verdict, code=code, log=said.text, duration_ms=duration_ms)

    async def _watched(
        self, job: Job, limits: Limits, group: cgroups.Group | None, said: "_Said"
    ) -> tuple[Verdict, int]:
        async with AsyncExitStack() as held:
            log_pipe, output_pipe = Pipe(), Pipe()
            held.push_async_callback(log_pipe.close)
            held.push_async_callback(output_pipe.close)
            output = held.enter_context(_file(job.output))
            process = self._start(job, limits, group, log_pipe, output_pipe)
            held.callback(process.close)
            written = _Written(limits, output)
            verdict: Verdict = "ended"
            try:
                async with asyncio.timeout(limits.wall_s):
                    await _all(process.ended(), log_pipe.pump(said), output_pipe.pump(written))
            except TimeoutError:
                verdict = "timed_out"
            except _FloodError as exc:
                verdict = exc.verdict
            finally:
                process.kill()
                if group is not None:
                    group.kill()
                async with asyncio.timeout(_AFTER_S):
                    code = await process.ended()
            return verdict, code

    def _start(
        self,
        job: Job,
        limits: Limits,
        group: cgroups.Group | None,
        log_pipe: Pipe,
        output_pipe: Pipe,
    ) -> Process:
        with _memory(self._filter) as filter_fd:
            busybox = self._programs["busybox"]
            options = arguments.inside(job, limits, busybox, filter_fd)
            # in a file, so that /proc/1/cmdline tells nothing
            with _memory(b"".join(o.encode() + b"\0" for o in options)) as options_fd:
                command = [
                    *self._entering(group),
                    *arguments.outside(
                        limits,
                        user=self._user,
                        has_group=group is not None,
                        setpriv=str(self._programs["setpriv"]),
                        prlimit=str(self._programs["prlimit"]),
                    ),
                    *(str(self._programs["bwrap"]), "--args", str(options_fd), "--"),
                    *_taking(job, output_pipe.writing),
                ]
                passed = [filter_fd, options_fd, output_pipe.writing]
                process = Process(command, log_pipe.writing, passed)
        log_pipe.let_go()
        output_pipe.let_go()
        return process

    def _entering(self, group: cgroups.Group | None) -> list[str]:
        if group is None:
            return []
        entrances = [str(path) for path in group.entrances]
        return [str(self._programs["busybox"]), "sh", "-c", _ENTER, "sh", *entrances, "--"]


def _taking(job: Job, output_fd: int) -> list[str]:
    if not job.takes:
        return list(job.command)
    script = _TAKE.format(folder=job.takes, fd=output_fd)
    return ["/t/busybox", "sh", "-c", script, "sh", *job.command]


def _found() -> dict[str, Path]:
    found = {name: shutil.which(name, path=_PLACES) for name in _PROGRAMS}
    missing = [name for name, place in found.items() if place is None]
    if missing:
        raise UnavailableSandboxError(f"Not installed: {', '.join(missing)}.")
    return {name: Path(place) for name, place in found.items() if place is not None}


class _Said:
    """What a run says, kept to the limit; far beyond it the run is ended."""

    def __init__(self, limits: Limits, heard: Heard) -> None:
        self._limit = limits.log_bytes
        self._heard = heard
        self._count = 0
        self.text = b""

    def __call__(self, piece: bytes) -> None:
        kept = piece[: max(0, self._limit - self._count)]
        self._count += len(piece)
        if kept:
            self.text += kept
            self._heard(kept)
        if self._count > self._limit * _FLOOD:
            raise _FloodError("log_flood")


class _Written:
    """What a run made, written to a file up to the limit."""

    def __init__(self, limits: Limits, file: IO[bytes] | None) -> None:
        self._left = limits.output_bytes
        self._file = file

    def __call__(self, piece: bytes) -> None:
        self._left -= len(piece)
        if self._left < 0:
            raise _FloodError("output_flood")
        if self._file is not None:
            self._file.write(piece)


async def _all(*work: Coroutine[Any, Any, object]) -> None:
    tasks = [asyncio.get_running_loop().create_task(w) for w in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


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


@contextmanager
def _file(path: Path | None) -> Iterator[IO[bytes] | None]:
    if path is None:
        yield None
        return
    with path.open("wb") as opened:
        yield opened


def _ignore(_: bytes) -> None:
    """Nobody listens."""
