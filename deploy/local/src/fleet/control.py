"""Talk to the runner in the background: start it, ask it, stop it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

import msgspec
import psutil

from fleet import state
from fleet.home import Home
from fleet.state import FleetState, Request
from fleet.stores import s3

PAUSE_S = 0.03
STOP_S = 60.0
# a process that is asked to restart drains, ends, and starts
ACT_S = 60.0
TAIL_LINES = 25

type Watcher = Callable[[FleetState], None]


class FleetError(Exception):
    """The fleet did not do what was asked; the message says what happened instead."""


def start(
    home: Home, only: Sequence[str] = (), *, dies_with_parent: bool = False, **told: str
) -> subprocess.Popen[bytes]:
    """Start a runner in the background; it holds the home's lock or ends at once.

    ``told`` are settings (``OAUTH_REDIRECTS``) beside those that this process was given.
    """
    home.state.unlink(missing_ok=True)
    guard = ("setpriv", "--pdeathsig", "TERM", "--") if dies_with_parent else ()
    setting = ("env", *[f"{name}={value}" for name, value in told.items()])
    command = (*setting, sys.executable, "-m", "fleet.runner", "--home", str(home.root))
    with home.log("runner").open("ab") as log:
        return subprocess.Popen(
            (*guard, *command, "--only", ",".join(only)),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=home.repository,
            start_new_session=True,
        )


def until_ready(home: Home, runner: subprocess.Popen[bytes], watcher: Watcher) -> FleetState:
    """Follow a start to its end; raise with the log of what failed."""
    while True:
        ended = runner.poll() is not None
        found = state.read(home)
        if found is not None:
            watcher(found)
            if found.phase == "ready":
                return found
        if ended:
            raise FleetError(_explained(home, found))
        time.sleep(PAUSE_S)


def stop(home: Home) -> bool:
    """Stop the fleet and wait for its end; false where none was running."""
    found = state.read(home)
    running = state.is_running(home)
    if running:
        pid = int(home.lock.read_text(encoding="utf-8"))
        _stop_runner(home, pid)
    leftovers = survivors(found) if found else []
    for process in leftovers:
        process.kill()
    psutil.wait_procs(leftovers, timeout=STOP_S)
    for name in s3.SOCKETS:
        home.socket(name).unlink(missing_ok=True)
    home.state.unlink(missing_ok=True)
    return running or bool(leftovers)


def act(home: Home, request: Request) -> None:
    """Ask the runner to stop, start or restart one process, and wait until it has."""
    before = _process(home, request.name)
    number = time.time_ns()
    path = home.requests / f"{number}.json"
    scratch = path.with_suffix(".new")
    scratch.write_bytes(msgspec.json.encode(request))
    scratch.replace(path)
    os.kill(int(home.lock.read_text(encoding="utf-8")), signal.SIGUSR1)
    wanted = "stopped" if request.action == "stop" else "ready"

    def is_done() -> bool:
        now = _process(home, request.name)
        is_new = request.action != "restart" or now.started_at != before.started_at
        return is_new and now.condition == wanted

    until(is_done, f"{request.name} is not {wanted}.\n{tail(home, request.name)}")


def until(fact: Callable[[], bool], otherwise: str) -> None:
    """Wait for a fact; raise with the sentence when it does not come true."""
    give_up_at = time.monotonic() + ACT_S
    while not fact():
        if time.monotonic() > give_up_at:
            raise FleetError(otherwise)
        time.sleep(PAUSE_S)


def survivors(found: FleetState) -> list[psutil.Process]:
    """Return the processes of a fleet that are alive although its runner may not be."""
    alive: list[psutil.Process] = []
    for known in found.processes.values():
        try:
            process = psutil.Process(known.pid) if known.pid else None
            # the number may be another process's by now: that one would have started later
            if process and abs(process.create_time() - known.started_at) < 1:
                alive.append(process)
        except psutil.NoSuchProcess:
            continue
    return [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]


def tail(home: Home, name: str) -> str:
    """Return the last lines that a process wrote."""
    path = home.log(name)
    if not path.exists():
        return f"(no log at {path})"
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL_LINES:]
    return "\n".join([f"--- the end of {path}", *lines])


def _process(home: Home, name: str) -> state.ProcessState:
    found = state.read(home)
    if found is None or not state.is_running(home):
        raise FleetError("The fleet is not running.")
    if name not in found.processes:
        raise FleetError(f"No process {name!r}. There are: {', '.join(found.processes)}.")
    return found.processes[name]


def _stop_runner(home: Home, pid: int) -> None:
    give_up_at = time.monotonic() + STOP_S
    os.kill(pid, signal.SIGTERM)
    while state.is_running(home):
        if time.monotonic() > give_up_at:
            # its children die with it, by the kernel's hand
            os.kill(pid, signal.SIGKILL)
        time.sleep(PAUSE_S)


def _explained(home: Home, found: FleetState | None) -> str:
    if found is not None and found.failed:
        return f"{found.failed} did not start.\n{tail(home, found.failed)}"
    return f"The runner ended before the fleet was ready.\n{tail(home, 'runner')}"
