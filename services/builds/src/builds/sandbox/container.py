"""The sandbox of a container: an engine without root (Podman, Docker) and an image of ours."""

import asyncio
import os
import pwd
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import override

import structlog

from builds.sandbox import arguments, children, script
from builds.sandbox.process import Process
from builds.sandbox.types import (
    TRIAL,
    Heard,
    Job,
    Limits,
    Mount,
    Outcome,
    Sandbox,
    UnavailableSandboxError,
)
from builds.sandbox.watch import Said, Ways, watched
from common.ids import uuid7

log = structlog.get_logger()

_PLACES = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"
_NAME = "worldloom-sandbox-"
_LABEL = "worldloom=sandbox"
# longer than any build, so that a disk is not taken from one that is about to use it
_STALE = "1h"
_USER = "1000:1000"
_PAGE = 4096
_SHARES = 64
_DISKS = {"scratch": "/tmp", "output": "/o"}  # noqa: S108 - the sandbox's own
_HIDDEN = "/proc/kallsyms:/proc/kpagecount:/proc/vmallocinfo:/proc/key-users"


class Container(Sandbox):
    """``engine`` is the beginning of a command line; each run has a container of its own."""

    def __init__(self, engine: Sequence[str], image: str, seccomp: Path) -> None:
        self._engine = list(engine)
        self._image = image
        self._seccomp = seccomp.absolute()
        self._is_podman = Path(self._engine[0]).name == "podman"
        home = pwd.getpwuid(os.geteuid()).pw_dir
        self._environment = {
            "PATH": _PLACES,
            "HOME": home,
            "XDG_RUNTIME_DIR": f"/run/user/{os.geteuid()}",
        }

    @override
    async def prepare(self) -> None:
        program = shutil.which(self._engine[0], path=_PLACES)
        if program is None:
            raise UnavailableSandboxError(f"Not installed: {self._engine[0]}.")
        self._engine[0] = program
        if not self._seccomp.exists():
            raise UnavailableSandboxError(f"There is no filter of system calls: {self._seccomp}.")
        children.adopt()
        await self._sweep()
        trial = Job(command=("/t/busybox", "true"), mounts=(), folder="/o")
        outcome = await self.run(trial, TRIAL, lambda _: None)
        if not outcome.succeeded:
            said = outcome.log.decode(errors="replace").strip()
            raise UnavailableSandboxError(f"{program} cannot run {self._image}: {said}")
        log.info("sandbox_ready", start_ms=outcome.duration_ms, engine=program)

    @override
    async def run(self, job: Job, limits: Limits, heard: Heard) -> Outcome:
        began = time.monotonic()
        name = f"{_NAME}{uuid7()}"
        said = Said(limits, heard)
        lifeline, ours = os.pipe()

        def start(ways: Ways) -> Process:
            return Process(
                self.command(name, job, limits),
                ways.log.writing,
                reads=lifeline,
                writes=ways.output.writing,
                environment=self._environment,
            )

        def kill() -> None:
            nonlocal ours
            if ours >= 0:
                os.close(ours)
                ours = -1

        try:
            await self._make_disks(name, limits)
            verdict, code = await watched(limits, said, job.output, start, kill)
            if verdict == "ended":
                verdict = script.verdict(code)
        finally:
            kill()
            os.close(lifeline)
            await asyncio.shield(self._remove(name))
        duration_ms = round((time.monotonic() - began) * 1e3)
        return Outcome(verdict=verdict, code=code, log=said.text, duration_ms=duration_ms)

    def command(self, name: str, job: Job, limits: Limits) -> list[str]:
        """The whole command line of a run."""
        return [
            *self._engine,
            "run",
            *_ALONE,
            *(_ONLY_PODMAN if self._is_podman else []),
            *("--name", name),
            *("--security-opt", f"seccomp={self._seccomp}"),
            *("--workdir", job.folder),
            *_limits(limits),
            *self._disks(name, limits),
            *(_mount(m) for m in job.mounts),
            self._image,
            *script.contained(job),
        ]

    def _disks(self, name: str, limits: Limits) -> list[str]:
        if self._is_podman:
            options = "rw,nosuid,nodev,noexec"
            return [f"--volume={name}-{n}:{place}:{options}" for n, place in _DISKS.items()]
        return [
            f"--tmpfs={place}:rw,nosuid,nodev,noexec,{_disk(n, limits)}"
            for n, place in _DISKS.items()
        ]

    async def _make_disks(self, name: str, limits: Limits) -> None:
        if not self._is_podman:
            return
        # podman's own --tmpfs knows no limit to the number of files
        made = ["volume", "create", f"--label={_LABEL}", "--opt=type=tmpfs", "--opt=device=tmpfs"]
        for disk in _DISKS:
            words = [*made, f"--opt=o={_disk(disk, limits)}", f"{name}-{disk}"]
            if not await self._does(*words):
                # a container would be given a folder of the machine in its place
                raise UnavailableSandboxError("The container's engine made no disk for a run.")

    async def _remove(self, name: str) -> None:
        at_once = ["--time", "0", "--ignore"] if self._is_podman else []
        await self._does("rm", "--force", *at_once, name)
        if self._is_podman:
            await self._does("volume", "rm", "--force", *(f"{name}-{disk}" for disk in _DISKS))

    async def _sweep(self) -> None:
        """Remove the disks of workers that did not come to do it; those in use stay."""
        if self._is_podman:
            old = ["--filter", f"label={_LABEL}", "--filter", f"until={_STALE}"]
            await self._does("volume", "prune", "--force", *old)

    async def _does(self, *words: str) -> bool:
        """Have the engine do something; whether it did."""
        said = Said(TRIAL, lambda _: None)

        def start(ways: Ways) -> Process:
            command = [*self._engine, *words]
            return Process(command, ways.log.writing, environment=self._environment)

        verdict, code = await watched(TRIAL, said, None, start, lambda: None)
        is_done = verdict == "ended" and not code
        if not is_done:
            log.warning("engine_refused", words=words, said=said.text.decode(errors="replace"))
        return is_done


_ALONE = [
    "--rm",
    "--interactive",
    "--pull=never",
    "--network=none",
    "--ipc=none",
    "--read-only",
    "--cap-drop=all",
    "--security-opt=no-new-privileges",
    f"--user={_USER}",
    "--hostname=build",
    "--no-healthcheck",
    "--log-driver=none",
]
_ONLY_PODMAN = [
    "--read-only-tmpfs=false",
    "--no-hosts",
    "--passwd=false",
    f"--security-opt=mask={_HIDDEN}",
]


def _mount(mount: Mount) -> str:
    for place in (str(mount.source), mount.target):
        # each would be the beginning of something else: of another folder of the machine, say
        if any(sign in ',"' or not sign.isprintable() for sign in place):
            raise UnavailableSandboxError(f"A container cannot be given {place!r}.")
    return f"--mount=type=bind,source={mount.source},destination={mount.target},readonly"


def _limits(limits: Limits) -> list[str]:
    cpu_s = max(1, int(limits.cpu_s))
    ulimits = {
        "core": "0:0",
        "cpu": f"{cpu_s}:{cpu_s + 1}",
        "fsize": f"{limits.output_bytes}:{limits.output_bytes}",
        "nofile": "1024:1024",
        # of the user on the machine; the container's own limit counts its processes alone
        "nproc": "4096:4096",
    }
    return [
        f"--memory={limits.memory_bytes}b",
        f"--memory-swap={limits.memory_bytes}b",
        f"--pids-limit={limits.processes}",
        f"--cpus={limits.cpus}",
        f"--cpu-shares={_SHARES}",
        *(f"--ulimit={name}={value}" for name, value in ulimits.items()),
        *(f"--env={name}={value}" for name, value in arguments.environment(limits).items()),
    ]


def _disk(name: str, limits: Limits) -> str:
    size = limits.scratch_bytes if name == "scratch" else limits.output_bytes
    # in blocks: podman takes a size for a quota of its own
    return f"nr_blocks={max(1, size // _PAGE)},nr_inodes={limits.files},mode=1777"
