"""No sandbox at all: for a machine where nothing else works and every project is one's own."""

import asyncio
import re
import shlex
import shutil
import tempfile
import time
from pathlib import Path
from typing import override

import msgspec
import structlog

from builds.sandbox import children, script
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

log = structlog.get_logger()

_WARNING = (
    "Builds are NOT isolated (SANDBOX=none): whatever runs in one may do what the worker may."
)
_SCRATCH = "/tmp"  # noqa: S108 - a sandbox's own
_OUTPUT = "/o"
_TOOLS = "/t/"
# a place of a sandbox, at the beginning of a word or of an option's value
_PLACE = re.compile(r"^(--?[\w-]+=)?(?=/(?:[a-z]|tmp)(?:/|$))")
_PLACE_IN_A_CONFIGURATION = re.compile(rb'"(?=/[a-z]/)')


class Nothing(Sandbox):
    """Tools run beside the worker, as the worker's user; only time, log and output are limited."""

    warning = _WARNING

    def __init__(self) -> None:
        self._busybox = Path()

    @override
    async def prepare(self) -> None:
        found = shutil.which("busybox")
        if found is None:
            raise UnavailableSandboxError("Not installed: busybox.")
        self._busybox = Path(found)
        log.error("sandbox_none", warning=_WARNING)
        children.adopt()
        trial = Job(command=("/t/busybox", "true"), mounts=(), folder=_OUTPUT)
        outcome = await self.run(trial, TRIAL, lambda _: None)
        if not outcome.succeeded:
            said = outcome.log.decode(errors="replace").strip()
            raise UnavailableSandboxError(f"A shell does not even run as it is: {said}")

    @override
    async def run(self, job: Job, limits: Limits, heard: Heard) -> Outcome:
        began = time.monotonic()
        heard(f"{_WARNING}\n".encode())
        said = Said(limits, heard)
        root = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="worldloom-none-"))
        started: list[Process] = []

        def start(ways: Ways) -> Process:
            words = _words(job, root, ways.output.writing)
            process = Process(words, ways.log.writing, [ways.output.writing], is_leader=True)
            started.append(process)
            return process

        def kill() -> None:
            for process in started:
                process.kill_group()

        try:
            await asyncio.to_thread(_furnish, root, job, self._busybox)
            verdict, code = await watched(limits, said, job.output, start, kill)
            if verdict == "ended":
                verdict = script.verdict(code)
        finally:
            await children.gone({process.pid for process in started})
            await asyncio.to_thread(shutil.rmtree, root, ignore_errors=True)
        duration_ms = round((time.monotonic() - began) * 1e3)
        return Outcome(verdict=verdict, code=code, log=said.text, duration_ms=duration_ms)


def _words(job: Job, root: Path, output_fd: int) -> list[str]:
    """The command as it must be said where the sandbox's places lie below ``root``."""
    moved = msgspec.structs.replace(
        job,
        command=tuple(_below(word, root) for word in job.command),
        takes=_below(job.takes, root),
    )
    scratch, tools, folder = (
        shlex.quote(_below(place, root)) for place in (_SCRATCH, _TOOLS, job.folder)
    )
    setting = f"export PATH={tools} HOME={scratch} TMPDIR={scratch}; cd {folder}"
    places = (_below(_OUTPUT, root), _below(_SCRATCH, root))
    words = script.around(moved, output_fd=output_fd, run=f'{setting} && "$@"', places=places)
    return [_below(words[0], root), *words[1:]]


def _below(word: str, root: Path) -> str:
    return _PLACE.sub(lambda match: f"{match[1] or ''}{root}", word)


def _furnish(root: Path, job: Job, busybox: Path) -> None:
    """Copy what the job sees, but for the tools; what was written is gone with the copy."""
    for folder in (_OUTPUT, _SCRATCH, _TOOLS):
        Path(_below(folder, root)).mkdir()
    Path(_below(f"{_TOOLS}busybox", root)).symlink_to(busybox)
    for mount in sorted(job.mounts, key=lambda m: m.target):
        target = Path(_below(mount.target, root))
        target.parent.mkdir(parents=True, exist_ok=True)
        if mount.target.startswith(_TOOLS):
            target.symlink_to(mount.source)
        elif mount.source.is_dir():
            shutil.copytree(mount.source, target, dirs_exist_ok=True)
        else:
            shutil.copy2(mount.source, target)
        if not mount.target.startswith((_TOOLS, "/p")):
            _rename_places(target, root)


def _rename_places(folder: Path, root: Path) -> None:
    """Our own configurations name places of the sandbox."""
    for file in folder.glob("*.json"):
        text = file.read_bytes()
        file.write_bytes(_PLACE_IN_A_CONFIGURATION.sub(b'"' + str(root).encode(), text))
