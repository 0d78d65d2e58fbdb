"""The sandbox itself: a shell in it, which a build never has, may try what it likes."""

import os
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from builds.sandbox import cgroups, children
from builds.sandbox.bubblewrap import Bubblewrap
from builds.sandbox.types import Job, Limits

_LIMITS = Limits(
    wall_s=4.0,
    memory_bytes=128 << 20,
    processes=32,
    cpus=2.0,
    scratch_bytes=4 << 20,
    output_bytes=16 << 20,
    log_bytes=64 << 10,
)
_GROUPS = Path("/sys/fs/cgroup/pids/worldloom-builds")


@pytest.fixture
async def shell():
    """Run a script in a sandbox."""
    sandbox = Bubblewrap(10_101)
    await sandbox.prepare()

    async def run(script, **more):
        job = Job(command=("/t/busybox", "sh", "-c", script), mounts=(), folder="/tmp", **more)  # noqa: S108 - the sandbox's own
        return await sandbox.run(job, _LIMITS, lambda _: None)

    return run


async def test_nothing_of_the_worker_is_seen(shell, monkeypatch):
    monkeypatch.setenv("A_SECRET", "do-not-tell")
    outcome = await shell(
        "cat /proc/*/environ /proc/*/cmdline; env; ls -R / 2>/dev/null | head -n 300"
    )
    said = outcome.log.decode(errors="replace")
    assert "do-not-tell" not in said
    assert str(Path.cwd()) not in said
    assert "HOME=/tmp" in said


@pytest.mark.parametrize(
    "script",
    [
        "wget -T 1 http://127.0.0.1:1/",
        "cat /etc/passwd",
        "cat /root/.ssh/id_rsa",
        "ls /home",
        "head -c 1 /proc/kcore | grep .",
        "cat /proc/kallsyms | grep .",
        "echo x > /t/x",
        "echo x > /x",
        "echo x > /dev/x",
        "mount -t tmpfs none /tmp",
        "unshare -U true",
        "chroot / true",
        "mknod /tmp/x c 1 1",
        "ln -s /etc /o/x",
        "ln /t/busybox /o/x",
        "echo core > /proc/sys/kernel/core_pattern",
        "nc -l -p 99",
    ],
)
async def test_what_is_not_needed_is_refused(shell, script):
    outcome = await shell(script)
    assert not outcome.succeeded, outcome.log


@pytest.mark.parametrize(
    ("script", "verdict"),
    [
        ("while :; do :; done", "timed_out"),
        ("trap '' TERM INT HUP; while :; do sleep 1; done", "timed_out"),
        ("setsid sleep 60 & exec sleep 60", "timed_out"),
        ("while :; do echo flood; done", "log_flood"),
        ("a=x; while :; do a=$a$a$a$a; done", "memory"),
        ("f() { f | f & }; f; sleep 1; exit 1", "processes"),
        ("mkdir /o/o; yes | head -c 15000000 > /o/o/a; yes | head -c 9000000 > /o/o/b", "ended"),
    ],
)
async def test_what_wants_too_much_is_ended(shell, script, verdict):
    outcome = await shell(script)
    assert outcome.verdict == verdict
    assert not outcome.succeeded


@pytest.mark.parametrize("folder", ["/o", "/tmp", "/dev/shm"])  # noqa: S108 - the sandbox's own
async def test_a_disk_is_full_before_ours_is(shell, folder):
    outcome = await shell(f"dd if=/dev/zero of={folder}/x bs=1M count=200 && echo all")
    assert b"all" not in outcome.log


async def test_what_was_made_comes_out(shell, tmp_path):
    target = tmp_path / "out.tar"
    outcome = await shell("mkdir /o/out; echo hi > /o/out/a", takes="/o/out", output=target)
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


async def test_a_run_has_closed_its_pipes_when_it_returns(shell, monkeypatch):
    # without groups nothing waits after a run, so that what is closed late is seen
    monkeypatch.setattr(cgroups, "make", lambda *_: None)
    await shell("echo first")
    before, _ = _held()
    await shell("while :; do echo flood; done")
    after, _ = _held()
    assert after <= before


async def test_nothing_is_left_behind(shell):
    # what is made once for all that follow is not left behind
    await shell("echo first")
    before, _ = _held()
    for _ in range(3):
        await shell("sleep 60 & echo done")
        await shell("while :; do echo flood; done")
    after, groups = _held()
    assert after <= before
    assert groups == []
    assert children.bury() == 0
