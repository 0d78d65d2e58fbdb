"""The groups of processes: what is written for them, and who removes them.

Of version 2 only the files are looked at: no kernel is behind them here.
"""

import fcntl
import os
import time

import pytest
from services.builds.tests.attacks import LIMITS

from builds.sandbox import cgroups

_PARENT = "worldloom-builds"


@pytest.fixture
def second(tmp_path):
    """A tree that looks like version 2, and a group in it."""
    (tmp_path / "cgroup.controllers").write_text("cpu io memory pids")
    group = cgroups.make("run", LIMITS, tmp_path)
    assert isinstance(group, cgroups.Version2)
    yield tmp_path / _PARENT / "run", group
    group.remove()


@pytest.fixture
def first(tmp_path):
    """A tree that looks like version 1, and a group in it."""
    for controller in ("memory", "pids", "cpu", "blkio"):
        (tmp_path / controller).mkdir()
    group = cgroups.make("run", LIMITS, tmp_path)
    assert isinstance(group, cgroups.Version1)
    yield tmp_path, group
    group.remove()


def test_version_2_is_told_the_limits_and_that_others_go_first(second):
    folder, group = second
    written = {path.name: path.read_text() for path in folder.iterdir()}
    assert written == {
        "memory.max": str(128 << 20),
        "memory.swap.max": "0",
        "memory.oom.group": "0",
        "pids.max": "32",
        "cpu.max": "200000 100000",
    }
    weights = {name: (folder.parent / name).read_text() for name in ("cpu.weight", "io.weight")}
    assert weights == {"cpu.weight": "6", "io.weight": "10"}
    assert group.entrances == [folder / "cgroup.procs"]


def test_version_2_tells_what_was_exceeded_and_ends_all_at_once(second):
    folder, group = second
    assert group.exceeded(1) is None
    (folder / "pids.events").write_text("max 3\n")
    assert (group.exceeded(1), group.exceeded(0)) == ("processes", None)
    (folder / "memory.events").write_text("low 0\nmax 12\noom 1\noom_kill 1\n")
    assert group.exceeded(0) == "memory"
    group.kill()
    assert (folder / "cgroup.kill").read_text() == "1"


def test_version_1_is_told_the_limits_and_that_others_go_first(first):
    root, group = first
    names = {
        "memory/worldloom-builds/run/memory.limit_in_bytes": str(128 << 20),
        "pids/worldloom-builds/run/pids.max": "32",
        "cpu/worldloom-builds/run/cpu.cfs_quota_us": "200000",
        "cpu/worldloom-builds/cpu.shares": "64",
        "blkio/worldloom-builds/blkio.weight": "10",
    }
    assert {name: (root / name).read_text() for name in names} == names
    assert len(group.entrances) == 4


def test_a_tree_without_a_controller_makes_no_group_and_leaves_nothing(tmp_path):
    (tmp_path / "memory").mkdir()
    (tmp_path / "pids").write_text("no folder")
    assert cgroups.make("run", LIMITS, tmp_path) is None
    assert not list((tmp_path / "memory" / _PARENT).iterdir())


def test_the_groups_of_workers_that_died_are_removed_and_no_others(tmp_path):
    for controller in ("memory", "pids", "cpu"):
        for name in ("dead", "alive", "new"):
            folder = tmp_path / controller / _PARENT / name
            folder.mkdir(parents=True)
            if name != "new":
                os.utime(folder, (time.time() - 60, time.time() - 60))
    alive = tmp_path / "pids" / _PARENT / "alive"
    lock = os.open(alive, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_SH)
        cgroups.sweep(tmp_path)
    finally:
        os.close(lock)
    assert sorted(folder.name for folder in alive.parent.iterdir()) == ["alive", "new"]
    assert [f.name for f in (tmp_path / "cpu" / _PARENT).iterdir()] == ["new"]
