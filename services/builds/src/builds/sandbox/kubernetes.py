"""The sandbox of a cluster: each run is a job of its own, under a runtime made for strangers.

The pod has no network, so nothing is fetched or sent by it: the worker is attached to its streams,
sends the sources as an archive, hears the log, and gets back what was made as another.
"""

import asyncio
import tarfile
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, override

import aiohttp
import structlog
from msgspec import Struct

from builds.sandbox import manifest, script
from builds.sandbox.cluster import Account, Channel, Cluster, Pod
from builds.sandbox.manifest import Place
from builds.sandbox.types import (
    TRIAL,
    Heard,
    Job,
    Limits,
    Outcome,
    Sandbox,
    UnavailableSandboxError,
    Verdict,
)
from builds.sandbox.watch import FloodError, Said, Written, opened
from common.ids import uuid7

log = structlog.get_logger()

_PIECE = 65_536
_LOOK_S = 0.2
_AFTER_S = 30.0
_KILLED = 128 + 9
# from these no pod recovers while somebody waits
_HOPELESS = frozenset(
    {"CreateContainerConfigError", "CreateContainerError", "ErrImageNeverPull", "ErrImagePull"}
    | {"ImagePullBackOff", "InvalidImageName", "RunContainerError"}
)


class _Ears(Struct, frozen=True):
    said: Said
    written: Written


class Kubernetes(Sandbox):
    """``start_s`` is how long a pod may take until it runs, which is no part of a run's time."""

    def __init__(self, account: Account, place: Place, *, start_s: float) -> None:
        self._cluster = Cluster(account)
        self._place = place
        self._start_s = start_s

    @override
    async def prepare(self) -> None:
        trial = Job(command=("/t/busybox", "true"), mounts=(), folder="/o")
        outcome = await self.run(trial, TRIAL, lambda _: None)
        if not outcome.succeeded:
            said = outcome.log.decode(errors="replace").strip()
            raise UnavailableSandboxError(f"A pod ran and failed ({outcome.code}): {said}")
        log.info("sandbox_ready", start_ms=outcome.duration_ms)

    @override
    async def run(self, job: Job, limits: Limits, heard: Heard) -> Outcome:
        began = time.monotonic()
        name = f"build-{uuid7()}"
        said = Said(limits, heard)
        try:
            await self._cluster.create(manifest.of(name, job, limits, self._place))
            pod = await self._running(name)
            with opened(job.output) as file:
                ears = _Ears(said, Written(limits, file))
                verdict, code = await self._watched(name, pod, job, limits, ears)
        finally:
            await asyncio.shield(self._remove(name))
        duration_ms = round((time.monotonic() - began) * 1e3)
        return Outcome(verdict=verdict, code=code, log=said.text, duration_ms=duration_ms)

    async def _running(self, name: str) -> str:
        reason = "it is not scheduled"
        with suppress(TimeoutError):
            async with asyncio.timeout(self._start_s):
                while True:
                    pod = await self._cluster.pod(name)
                    state = pod.status.state if pod else None
                    if pod and state and (state.running is not None or state.terminated):
                        return pod.metadata.name
                    if state and state.waiting:
                        reason = f"{state.waiting.reason} {state.waiting.message}".strip()
                        if state.waiting.reason in _HOPELESS:
                            break
                    await asyncio.sleep(_LOOK_S)
        raise UnavailableSandboxError(f"A pod does not start: {reason}")

    async def _watched(
        self, name: str, pod: str, job: Job, limits: Limits, ears: _Ears
    ) -> tuple[Verdict, int]:
        try:
            async with asyncio.timeout(limits.wall_s):
                async with self._cluster.attach(pod) as socket:
                    await _exchanged(socket, job, ears)
                return await self._end(name)
        except TimeoutError:
            return "timed_out", _KILLED
        except FloodError as exc:
            return exc.verdict, _KILLED

    async def _end(self, name: str) -> tuple[Verdict, int]:
        while True:
            pod = await self._cluster.pod(name)
            if pod is None:
                raise UnavailableSandboxError("The pod is gone.")
            if pod.status.state.terminated or pod.status.reason:
                return _verdict(pod)
            await asyncio.sleep(_LOOK_S)

    async def _remove(self, name: str) -> None:
        """Remove the job; if nobody can, it has a time of its own."""
        try:
            async with asyncio.timeout(_AFTER_S):
                await self._cluster.delete(name)
                # a job's own end is a request to the pod; this one is none
                pod = await self._cluster.pod(name)
                if pod is not None:
                    await self._cluster.kill(pod.metadata.name)
        except (TimeoutError, UnavailableSandboxError) as exc:
            log.warning("job_left", job=name, error=str(exc))


def _verdict(pod: Pod) -> tuple[Verdict, int]:
    """How a run ended, as far as the cluster tells it."""
    ended = pod.status.state.terminated
    code = ended.exit_code if ended else _KILLED
    if pod.status.reason == "Evicted":
        return "disk", code
    if pod.status.reason == "DeadlineExceeded":
        return "timed_out", code
    if code == _KILLED or (ended and ended.reason == "OOMKilled"):
        return "memory", code
    return script.verdict(code), code


async def _exchanged(socket: aiohttp.ClientWebSocketResponse, job: Job, ears: _Ears) -> None:
    """Send the sources and hear what comes, until the other side has no more to say."""
    with tempfile.TemporaryFile() as archive:
        length = await asyncio.to_thread(_packed, job, archive)
        sending = asyncio.get_running_loop().create_task(_send(socket, archive, length))
        hears: dict[int, Callable[[bytes], None]] = {
            Channel.OUTPUT: ears.written,
            Channel.LOG: ears.said,
        }
        try:
            async for message in socket:
                if message.type is aiohttp.WSMsgType.BINARY and message.data:
                    hear = hears.get(message.data[0])
                    if hear is not None and len(message.data) > 1:
                        hear(message.data[1:])
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)


async def _send(socket: aiohttp.ClientWebSocketResponse, archive: IO[bytes], length: int) -> None:
    await socket.send_bytes(bytes([Channel.INPUT]) + f"{length}\n".encode())
    while piece := await asyncio.to_thread(archive.read, _PIECE):
        await socket.send_bytes(bytes([Channel.INPUT]) + piece)


def _packed(job: Job, archive: IO[bytes]) -> int:
    with tarfile.open(fileobj=archive, mode="w", dereference=True) as tar:
        for mount in job.mounts:
            if not mount.target.startswith(manifest.TOOLS):
                _add(tar, mount.source, mount.target)
    length = archive.tell()
    archive.seek(0)
    return length


def _add(tar: tarfile.TarFile, source: Path, target: str) -> None:
    # what is mounted there exists, and is not ours to change
    children = sorted(source.iterdir()) if source.is_dir() else []
    for child in children:
        tar.add(child, arcname=f"{target.strip('/')}/{child.name}")
    if source.is_file():
        tar.add(source, arcname=target.strip("/"))
