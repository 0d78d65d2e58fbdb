"""The sandbox itself: a shell in it, which a build never has, may try what it likes."""

import asyncio
import os
from collections import Counter
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from services.builds.tests.attacks import EXCESSES, LIMITS, LOOKS, REFUSED, shell

from builds.pipeline import verdicts
from builds.sandbox import cgroups, children
from builds.sandbox.bubblewrap import Bubblewrap
from builds.types import BuildError

_GROUPS = Path("/sys/fs/cgroup/pids/worldloom-builds")
_NEIGHBOUR = "sleep 0.5; i=0; while [ $i -lt 1000 ]; do i=$((i+1)); done; echo fine; echo > /o/x"


@pytest.fixture(params=["with groups", "without groups"])
async def run(request, monkeypatch):
    """Run a script in a sandbox."""
    if request.param == "without groups":
        # the machine of somebody who is not root
        monkeypatch.setattr(cgroups, "make", lambda *_: None)
    sandbox = Bubblewrap(10_101)
    await sandbox.prepare()

    async def run(script, heard=lambda _: None, limits=LIMITS, **more):
        return await sandbox.run(shell(script, **more), limits, heard)

    return run


def _class_of(outcome):
    with pytest.raises(BuildError) as raised:
        verdicts.judge("It", outcome)
    error = raised.value
    if error.status == "timed_out":
        return error.code
    assert error.code == "RESOURCE_LIMIT"
    return error.diagnostics[0].code


async def test_nothing_of_the_worker_is_seen(run, monkeypatch):
    monkeypatch.setenv("A_SECRET", "do-not-tell")
    outcome = await run(LOOKS)
    said = outcome.log.decode(errors="replace")
    assert "do-not-tell" not in said
    assert str(Path.cwd()) not in said
    assert "HOME=/tmp" in said


@pytest.mark.parametrize("script", REFUSED)
async def test_what_is_not_needed_is_refused(run, script):
    outcome = await run(script)
    assert not outcome.succeeded, outcome.log


@pytest.mark.parametrize("attack", EXCESSES)
async def test_what_wants_too_much_ends_with_its_own_class_and_hurts_no_neighbour(run, attack):
    script, expected = EXCESSES[attack]
    patient = msgspec.structs.replace(LIMITS, wall_s=60.0)
    outcome, neighbour = await asyncio.gather(run(script), run(_NEIGHBOUR, limits=patient))
    assert _class_of(outcome) == expected, outcome
    assert (neighbour.log, neighbour.verdict, neighbour.code) == (b"fine\n", "ended", 0)


async def test_a_processor_is_not_burnt_beyond_its_limit(run):
    outcome = await run(
        "while :; do :; done", limits=msgspec.structs.replace(LIMITS, wall_s=60.0, cpu_s=1.0)
    )
    assert _class_of(outcome) == "CPU_LIMIT"


async def test_an_output_beyond_its_limit_is_not_taken(run, tmp_path):
    # files of nothing: an archive has more to say of them than a disk
    script = "mkdir /o/x; cd /o/x; i=0; while [ $i -lt 99 ]; do : > $i; i=$((i+1)); done"
    small = msgspec.structs.replace(LIMITS, output_bytes=32_768)
    outcome = await run(script, limits=small, takes="/o/x", output=tmp_path / "out.tar")
    assert _class_of(outcome) == "OUTPUT_LIMIT"


async def test_what_is_cut_from_a_log_is_marked(run):
    heard: list[bytes] = []
    outcome = await run("yes | head -c 100000", heard.append)
    assert outcome.succeeded
    assert b"".join(heard) == outcome.log
    assert outcome.log.startswith(b"y\n" * 32_768)
    assert b"cut here: more than 65536 bytes" in outcome.log[65_536:]


@pytest.mark.parametrize("folder", ["/o", "/tmp", "/dev/shm"])  # noqa: S108 - the sandbox's own
async def test_a_disk_is_full_before_ours_is(run, folder):
    outcome = await run(f"dd if=/dev/zero of={folder}/x bs=1M count=200 && echo all")
    assert b"all" not in outcome.log


async def test_what_was_made_comes_out(run, tmp_path):
    target = tmp_path / "out.tar"
    outcome = await run("mkdir /o/out; echo hi > /o/out/a", takes="/o/out", output=target)
    assert outcome.succeeded
    assert b"hi" in target.read_bytes()


def _held():
    """What this process has open beside connections of other tests' servers, and its groups."""
    tables = [Path(f"/proc/self/net/{name}").read_text() for name in ("tcp", "tcp6")]
    lines = [line.split() for table in tables for line in table.splitlines()[1:]]
    connections = {f"socket:[{line[9]}]" for line in lines}
    opened: Counter[str] = Counter()
    for place in Path("/proc/self/fd").iterdir():
        # the folder itself is open while it is read, and gone when it is asked for
        with suppress(FileNotFoundError):
            opened[str(place.readlink())] += 1
    mine = Counter({what: n for what, n in opened.items() if what not in connections})
    return mine, list(_GROUPS.glob(f"{os.getpid()}-*"))


async def test_a_run_has_closed_its_pipes_when_it_returns(run, monkeypatch):
    # without groups nothing waits after a run, so that what is closed late is seen
    monkeypatch.setattr(cgroups, "make", lambda *_: None)
    await run("echo first")
    before, _ = _held()
    await run("while :; do echo flood; done")
    after, _ = _held()
    assert after <= before


async def test_nothing_is_left_behind(run):
    # what is made once for all that follow is not left behind
    await run("echo first")
    before, _ = _held()
    for _ in range(3):
        await run("sleep 60 & echo done")
        await run("while :; do echo flood; done")
    after, groups = _held()
    assert after <= before
    assert groups == []
    assert children.bury() == 0
