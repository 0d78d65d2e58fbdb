"""The container's command line, and its image. How it holds: ``make sandbox-attacks``."""

from pathlib import Path

import msgspec
import pytest
from services.builds.tests.attacks import LIMITS

from builds.sandbox import script, seccomp
from builds.sandbox.container import Container
from builds.sandbox.types import Job, Mount, UnavailableSandboxError

_ROOT = Path(__file__).parents[4]
_JOB = Job(
    command=("/t/esbuild", "./src/main.ts"),
    mounts=(Mount(Path("/rooms/1/tree"), "/p"),),
    takes="/o/out",
)
_BOTH = [
    "run",
    "--rm",
    "--interactive",
    "--pull=never",
    "--network=none",
    "--ipc=none",
    "--read-only",
    "--cap-drop=all",
    "--security-opt=no-new-privileges",
    "--user=1000:1000",
    "--hostname=build",
    "--no-healthcheck",
    "--log-driver=none",
]
_LIMITED = [
    "--memory=134217728b",
    "--memory-swap=134217728b",
    "--pids-limit=32",
    "--cpus=2.0",
    "--cpu-shares=64",
    "--ulimit=core=0:0",
    "--ulimit=cpu=3600:3601",
    "--ulimit=fsize=16777216:16777216",
    "--ulimit=nofile=1024:1024",
    "--ulimit=nproc=4096:4096",
    "--env=PATH=/t",
    "--env=HOME=/tmp",
    "--env=TMPDIR=/tmp",
    "--env=GOMAXPROCS=2",
    "--env=GOMEMLIMIT=107374182",
]
_DISK = "rw,nosuid,nodev,noexec"


def _command(*engine):
    container = Container(engine, "sandbox:1", Path("/filter.json"))
    return container.command("run-1", _JOB, LIMITS)


@pytest.mark.parametrize(
    ("engine", "own", "disks"),
    [
        (
            ("podman", "--runtime", "runc"),
            [
                "--read-only-tmpfs=false",
                "--no-hosts",
                "--passwd=false",
                "--security-opt=mask=/proc/kallsyms:/proc/kpagecount:/proc/vmallocinfo:/proc/key-users",
            ],
            [f"--volume=run-1-scratch:/tmp:{_DISK}", f"--volume=run-1-output:/o:{_DISK}"],
        ),
        (
            ("docker", "--host", "unix:///run/user/1000/docker.sock"),
            [],
            [
                f"--tmpfs=/tmp:{_DISK},nr_blocks=1024,nr_inodes=2000,mode=1777",
                f"--tmpfs=/o:{_DISK},nr_blocks=4096,nr_inodes=2000,mode=1777",
            ],
        ),
    ],
)
def test_a_container_is_given_nothing_but_what_it_needs(engine, own, disks):
    assert _command(*engine) == [
        *engine,
        *_BOTH,
        *own,
        *("--name", "run-1"),
        *("--security-opt", "seccomp=/filter.json"),
        *("--workdir", "/p"),
        *_LIMITED,
        *disks,
        "--mount=type=bind,source=/rooms/1/tree,destination=/p,readonly",
        "sandbox:1",
        *script.contained(_JOB),
    ]


def test_the_shipped_filter_is_the_one_of_the_other_sandbox():
    shipped = (_ROOT / "deploy/sandbox/seccomp.json").read_bytes()
    assert msgspec.json.decode(shipped, type=seccomp.Profile) == seccomp.profile()
    calls = {name for rule in seccomp.profile().rules for name in rule.names}
    assert not calls & {"socket", "connect", "mount", "unshare", "setns", "symlink", "link"}


def test_the_image_comes_from_nowhere_else():
    lines = (_ROOT / "deploy/sandbox/Containerfile").read_text().splitlines()
    assert [line for line in lines if line.startswith("FROM")] == ["FROM scratch"]
    assert not [line for line in lines if line.startswith(("RUN", "ADD"))]


@pytest.mark.parametrize(
    "mount",
    [
        Mount(Path("/rooms/1/changed/0"), "/p/m,source=/etc,destination=/p/z.ts"),
        Mount(Path("/rooms/1,source=/etc/tree"), "/p"),
        Mount(Path("/rooms/1/tree"), '/p"'),
        Mount(Path("/rooms/1\n/tree"), "/p"),
    ],
)
def test_no_name_of_a_mount_says_anything_else(mount):
    job = msgspec.structs.replace(_JOB, mounts=(mount,))
    with pytest.raises(UnavailableSandboxError):
        Container(["podman"], "sandbox:1", Path("/filter.json")).command("run-1", job, LIMITS)
