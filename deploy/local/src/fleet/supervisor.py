"""Start processes in the order of their needs, keep them alive, and stop them dependants first."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import msgspec

from fleet import probes
from fleet.processes import Drain, Process, guarded
from fleet.state import Condition, ProcessState

PROBE_PAUSE_S = 0.05
FIRST_REST_S = 0.2
LONGEST_REST_S = 10.0
# a process that has been up for so long has earned a short rest again
STEADY_S = 30.0
# how often a process may fail before it has ever been ready; a store may wait for its predecessor
START_ATTEMPTS = 3
LOG_BYTES_MAX = 20_000_000


class Watched(msgspec.Struct, kw_only=True, eq=False):
    """A process and what has become of it."""

    process: Process
    log: Path
    state: ProcessState
    is_wanted: bool = True
    was_asked: bool = False
    attempts: int = 0
    rest_s: float = FIRST_REST_S
    child: asyncio.subprocess.Process | None = None
    ready: asyncio.Event
    ended: asyncio.Event
    wanted: asyncio.Event


class Supervisor(msgspec.Struct, kw_only=True, eq=False):
    """All processes, and whom to tell when one of them changes."""

    watched: dict[str, Watched]
    changed: Callable[[], None]
    failed: asyncio.Future[str]
    folder: Path


def supervise(
    processes: list[Process], logs: Path, folder: Path, changed: Callable[[], None]
) -> Supervisor:
    """Prepare to run the processes; nothing is started yet."""
    names = {process.name for process in processes}
    watched = {process.name: _watched(process, names, logs) for process in processes}
    failed = asyncio.get_running_loop().create_future()
    return Supervisor(watched=watched, changed=changed, failed=failed, folder=folder)


def _watched(process: Process, names: set[str], logs: Path) -> Watched:
    needs = tuple(need for need in process.needs if need in names)
    watched = Watched(
        process=process,
        log=logs / f"{process.name}.log",
        state=ProcessState(once=process.once, needs=needs),
        ready=asyncio.Event(),
        ended=asyncio.Event(),
        wanted=asyncio.Event(),
    )
    watched.ended.set()
    watched.wanted.set()
    return watched


async def keep(fleet: Supervisor, name: str) -> None:
    """Run one process for as long as the fleet lives: start it, and start it again when it dies."""
    watched = fleet.watched[name]
    for need in watched.state.needs:
        await fleet.watched[need].ready.wait()
    while True:
        await watched.wanted.wait()
        is_ready = await _run(fleet, watched)
        if watched.process.once and is_ready:
            return
        if not watched.is_wanted:
            _note(fleet, watched, "stopped")
        elif watched.ready.is_set() or watched.attempts < _attempts(watched.process):
            await _rest(fleet, watched)
        else:
            _give_up(fleet, watched)
            return


async def all_ready(fleet: Supervisor) -> None:
    """Wait until every process has been ready."""
    for watched in fleet.watched.values():
        await watched.ready.wait()


async def stop(fleet: Supervisor) -> None:
    """Stop every process once all that need it have ended."""
    for watched in fleet.watched.values():
        watched.is_wanted = False
        watched.wanted.clear()
    async with asyncio.TaskGroup() as group:
        for watched in fleet.watched.values():
            group.create_task(_stop_in_turn(fleet, watched))


async def stop_one(fleet: Supervisor, name: str) -> None:
    """Stop one process and let it rest until it is wanted again."""
    watched = fleet.watched[name]
    watched.is_wanted = False
    watched.wanted.clear()
    await _terminate(watched)


async def restart_one(fleet: Supervisor, name: str) -> None:
    """Stop one process and start it again at once."""
    watched = fleet.watched[name]
    watched.was_asked = True
    start_one(fleet, name)
    await _terminate(watched)


def start_one(fleet: Supervisor, name: str) -> None:
    """Start a process that was stopped."""
    watched = fleet.watched[name]
    watched.is_wanted = True
    watched.wanted.set()


async def _run(fleet: Supervisor, watched: Watched) -> bool:
    watched.attempts += 1
    watched.ended.clear()
    watched.state.started_at = time.time()
    child = await _spawn(fleet, watched)
    try:
        return await _until_ended(fleet, watched, child)
    finally:
        watched.state.pid = 0
        watched.child = None
        # whatever it has started itself goes with it
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
        watched.ended.set()


async def _spawn(fleet: Supervisor, watched: Watched) -> asyncio.subprocess.Process:
    process = watched.process
    with _opened(watched.log) as log:
        child = await asyncio.create_subprocess_exec(
            *guarded(process),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=process.environment,
            cwd=fleet.folder,
            start_new_session=True,
        )
    watched.child = child
    watched.state.pid = child.pid
    _note(fleet, watched, "starting")
    return child


async def _until_ended(
    fleet: Supervisor, watched: Watched, child: asyncio.subprocess.Process
) -> bool:
    """Wait for readiness, then for the end; say whether it was ready."""
    began = time.monotonic()
    ending = asyncio.create_task(child.wait())
    try:
        async with asyncio.timeout(watched.process.start_timeout_s):
            is_ready = await _until_ready(watched.process, ending)
    except TimeoutError:
        _say(watched, f"was not ready within {watched.process.start_timeout_s:g} s")
        child.kill()
        await ending
        return False
    if not is_ready:
        _say(watched, f"ended with {await ending} before it was ready")
        return False
    watched.state.ready_after_s = round(time.monotonic() - began, 3)
    watched.ready.set()
    _note(fleet, watched, "done" if watched.process.once else "ready")
    code = await ending
    if watched.is_wanted and not watched.was_asked and not watched.process.once:
        _say(watched, f"ended with {code} after {time.monotonic() - began:.1f} s")
    if time.monotonic() - began > STEADY_S:
        watched.rest_s = FIRST_REST_S
    return True


async def _until_ready(process: Process, ending: asyncio.Task[int]) -> bool:
    if process.once:
        return await asyncio.shield(ending) == 0
    while not ending.done():
        if await probes.passes(process.probe, process.environment):
            # what answers may be another process on the same port, while ours has just died
            return not ending.done()
        await asyncio.wait([ending], timeout=PROBE_PAUSE_S)
    return False


async def _rest(fleet: Supervisor, watched: Watched) -> None:
    watched.state.restarts += 1
    if watched.was_asked:
        watched.was_asked = False
        return
    _note(fleet, watched, "resting")
    await asyncio.sleep(watched.rest_s)
    watched.rest_s = min(watched.rest_s * 2, LONGEST_REST_S)


def _attempts(process: Process) -> int:
    return 1 if process.once else START_ATTEMPTS


def _give_up(fleet: Supervisor, watched: Watched) -> None:
    _note(fleet, watched, "failed")
    if not fleet.failed.done():
        fleet.failed.set_result(watched.process.name)


async def _stop_in_turn(fleet: Supervisor, watched: Watched) -> None:
    name = watched.process.name
    for other in fleet.watched.values():
        if name in other.state.needs:
            await other.ended.wait()
    await _terminate(watched)
    if watched.state.condition not in ("done", "failed"):
        _note(fleet, watched, "stopped")


async def _terminate(watched: Watched) -> None:
    while watched.child is None:
        if watched.ended.is_set():
            return
        # it is being started at this moment
        await asyncio.sleep(PROBE_PAUSE_S)
    child = watched.child
    if watched.process.drain and watched.ready.is_set():
        await _drained(watched.process.drain)
    with suppress(ProcessLookupError):
        child.send_signal(signal.Signals[f"SIG{watched.process.stop_signal}"])
    try:
        async with asyncio.timeout(watched.process.stop_timeout_s):
            await watched.ended.wait()
    except TimeoutError:
        _say(watched, f"did not stop within {watched.process.stop_timeout_s:g} s; it is killed")
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
        await watched.ended.wait()


async def _drained(drain: Drain) -> None:
    # a process that no longer answers has nothing to drain
    with suppress(OSError, IndexError, ValueError):
        for path in drain.first:
            await probes.status("POST", drain.port, path)
        await asyncio.sleep(drain.wait_s)
        await probes.status("POST", drain.port, drain.last)


def _note(fleet: Supervisor, watched: Watched, condition: Condition) -> None:
    watched.state.condition = condition
    fleet.changed()


def _opened(log: Path) -> BinaryIO:
    if log.exists() and log.stat().st_size > LOG_BYTES_MAX:
        log.replace(log.with_suffix(".log.1"))
    return log.open("ab")


def _say(watched: Watched, sentence: str) -> None:
    with watched.log.open("a", encoding="utf-8") as log:
        log.write(f"[fleet] {watched.process.name} {sentence}.\n")
