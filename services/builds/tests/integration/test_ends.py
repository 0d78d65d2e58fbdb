"""However a run ends, nothing of it lives on: no process, no dead one, no group."""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from services.builds.tests.attacks import LIMITS, shell

from builds.sandbox import cgroups, children
from builds.sandbox.bubblewrap import Bubblewrap
from common.ids import uuid7
from common.testing.waiting import until

# the time after which nothing may be left
_AFTER_S = 2.0
# in the background, in a session of its own, deaf, and one that waits for them
_FAMILY = ": {mark}; trap '' TERM HUP; sleep 97 & setsid sh -c ': {mark}; sleep 98' & sleep 99"
_WORKER = """
import asyncio, sys
from services.builds.tests.attacks import LIMITS, shell
from builds.sandbox.bubblewrap import Bubblewrap
async def main():
    sandbox = Bubblewrap(10_101)
    await sandbox.prepare()
    await sandbox.run(shell(sys.argv[1]), LIMITS, lambda _: None)
asyncio.run(main())
"""


def _alive(mark):
    """The processes that have the mark in their command, and those of their sandbox."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            words = (process / "cmdline").read_bytes() if process.name.isdigit() else b""
        except OSError:
            continue
        if mark.encode() in words:
            found.append(process.name)
    return found


def _dead():
    """The dead of sandboxes that are our children."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            name, _, rest = (process / "stat").read_text().rpartition(") ")
        except OSError:
            continue
        state, parent, *_ = rest.split()
        is_ours = int(parent) == os.getpid() and name.partition("(")[2] in {"bwrap", "busybox"}
        if state == "Z" and is_ours:
            found.append(process.name)
    return found


def _groups(worker):
    return [g for c in ("memory", "pids", "cpu") for g in _folders(c, worker)]


def _folders(controller, worker):
    return list((cgroups.ROOT / controller / cgroups.PARENT).glob(f"{worker}-*"))


@pytest.fixture(params=["with groups", "without groups"])
async def sandbox(request, monkeypatch):
    """A sandbox."""
    if request.param == "without groups":
        # the machine of somebody who is not root
        monkeypatch.setattr(cgroups, "make", lambda *_: None)
    made = Bubblewrap(10_101)
    await made.prepare()
    return made


@pytest.fixture(autouse=True)
def _unburied():
    """Whoever died under other tests, of workers that were killed, is no concern of these."""
    for process in _dead():
        with suppress(ChildProcessError):
            os.waitpid(int(process), os.WNOHANG)


async def _started(mark, processes=2):
    async def is_complete():
        return len(_alive(mark)) >= processes

    await until(is_complete)


async def _nothing_is_left(mark, worker):
    async def is_over():
        return not (_alive(mark) or _dead() or _groups(worker))

    await until(is_over, _AFTER_S)


async def test_nothing_is_left_of_a_run_that_is_cancelled(sandbox):
    mark = str(uuid7())
    run = sandbox.run(shell(_FAMILY.format(mark=mark)), LIMITS, lambda _: None)
    task = asyncio.get_running_loop().create_task(run)
    await _started(mark)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await _nothing_is_left(mark, os.getpid())


async def test_nothing_is_left_of_a_run_whose_time_is_up(sandbox):
    mark = str(uuid7())
    limits = msgspec.structs.replace(LIMITS, wall_s=1.0)
    outcome = await sandbox.run(shell(_FAMILY.format(mark=mark)), limits, lambda _: None)
    assert outcome.verdict == "timed_out"
    await _nothing_is_left(mark, os.getpid())


async def test_nothing_is_left_of_a_run_that_left_others_behind(sandbox):
    mark = str(uuid7())
    script = f": {mark}; sleep 97 & setsid sh -c ': {mark}; sleep 98' & exit 0"
    outcome = await sandbox.run(shell(script), LIMITS, lambda _: None)
    assert outcome.succeeded
    await _nothing_is_left(mark, os.getpid())


# with the worker itself: as the first program of the run begins, and when all are there
@pytest.mark.parametrize("processes", [2, 4])
async def test_nothing_is_left_of_the_runs_of_a_worker_that_is_killed(processes):
    children.adopt()
    mark = str(uuid7())
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _WORKER, _FAMILY.format(mark=mark)
    )
    await _started(mark, processes)
    worker.send_signal(signal.SIGKILL)
    await worker.wait()

    async def is_over():
        return not _alive(mark)

    await until(is_over, _AFTER_S)
    # as the next worker does that lives here
    await children.gone()
    cgroups.sweep(older_s=0.0)
    await _nothing_is_left(mark, worker.pid)
