"""The process in the background that runs the fleet: ``python -m fleet.runner --home DIR``."""

import argparse
import asyncio
import os
import resource
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

import msgspec

from fleet import plan, secrets, settings, state, supervisor
from fleet.home import Home, make, repository
from fleet.ports import kept
from fleet.processes import Process
from fleet.state import FleetState, Phase, Request

ALREADY_RUNNING = 3
FILES_MAX = 65_536


class Running(msgspec.Struct, kw_only=True, eq=False):
    """The runner's own state."""

    home: Home
    fleet: supervisor.Supervisor
    phase: Phase
    started_at: float


def main() -> int:
    """Run the fleet of one home until a signal says to stop."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--home", type=Path, required=True)
    arguments.add_argument("--only", default="")
    given = arguments.parse_args()
    home = Home(root=given.home.resolve(), repository=repository())
    make(home)
    _allow_many_connections()
    only = tuple(name for name in given.only.split(",") if name)
    try:
        with state.held(home.lock):
            return asyncio.run(_run(home, only))
    except state.AlreadyRunningError:
        return ALREADY_RUNNING


def _allow_many_connections() -> None:
    # a shell's usual 1,024 files are too few for a gateway; children inherit what is set here
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_MAX if most == resource.RLIM_INFINITY else min(FILES_MAX, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


async def _run(home: Home, only: tuple[str, ...]) -> int:
    processes = plan.processes(
        plan.context(home, kept(home.ports), secrets.ensure(home.secrets), settings.read()), only
    )
    running = _prepared(home, processes)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stopping.set)
    asked: set[asyncio.Task[None]] = set()
    loop.add_signal_handler(signal.SIGUSR1, _obey, running, asked)
    keepers = [
        asyncio.create_task(supervisor.keep(running.fleet, name)) for name in running.fleet.watched
    ]
    _say(running, "starting")
    failed = await _until_stopped(running, stopping)
    if not failed:
        _say(running, "stopping")
    await supervisor.stop(running.fleet)
    for keeper in keepers:
        keeper.cancel()
    await asyncio.gather(*keepers, *asked, return_exceptions=True)
    _say(running, "failed" if failed else "stopped")
    return 1 if failed else 0


def _prepared(home: Home, processes: list[Process]) -> Running:
    def changed() -> None:
        _write(running)

    fleet = supervisor.supervise(processes, home.logs, home.repository, changed)
    running = Running(home=home, fleet=fleet, phase="starting", started_at=time.time())
    return running


async def _until_stopped(running: Running, stopping: asyncio.Event) -> bool:
    """Wait for a signal or for a start that fails; say whether it failed."""
    told = asyncio.create_task(stopping.wait())
    ready = asyncio.create_task(supervisor.all_ready(running.fleet))
    failed = running.fleet.failed
    await asyncio.wait((told, ready, failed), return_when=asyncio.FIRST_COMPLETED)
    if ready.done() and not failed.done() and not told.done():
        _say(running, "ready")
        # once it has been ready, a process that dies is started again for as long as it takes
        await told
    ready.cancel()
    told.cancel()
    return failed.done()


def _obey(running: Running, asked: set[asyncio.Task[None]]) -> None:
    for path in sorted(running.home.requests.glob("*.json")):
        request = msgspec.json.decode(path.read_bytes(), type=Request)
        path.unlink()
        if request.name in running.fleet.watched:
            task = asyncio.create_task(_act(running.fleet, request))
            asked.add(task)
            task.add_done_callback(asked.discard)


async def _act(fleet: supervisor.Supervisor, request: Request) -> None:
    if request.action == "stop":
        await supervisor.stop_one(fleet, request.name)
    elif request.action == "start":
        supervisor.start_one(fleet, request.name)
    else:
        await supervisor.restart_one(fleet, request.name)


def _say(running: Running, phase: Phase) -> None:
    running.phase = phase
    _write(running)


def _write(running: Running) -> None:
    failed = running.fleet.failed
    with suppress(FileNotFoundError):  # a home that was removed under a runner ends with it
        state.write(
            running.home,
            FleetState(
                pid=os.getpid(),
                started_at=running.started_at,
                phase=running.phase,
                failed=failed.result() if failed.done() else "",
                processes={name: watched.state for name, watched in running.fleet.watched.items()},
            ),
        )


if __name__ == "__main__":
    sys.exit(main())
