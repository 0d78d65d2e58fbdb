"""What bubblewrap is told: an empty house with a few things to read in it."""

from pathlib import Path

from builds.sandbox.types import Job, Limits

# what of /proc tells about the machine, or does something to it
_MASKED_FILES = (
    "kallsyms",
    "kcore",
    "key-users",
    "keys",
    "kmsg",
    "kpagecount",
    "sysrq-trigger",
    "timer_list",
    "vmallocinfo",
)
_MASKED_FOLDERS = ("acpi", "bus", "fs", "irq", "scsi", "sys")
_HEAP_PART = 0.8
_USER = 1000
_STACK_BYTES = 8 << 20
_FILES = 1024


def inside(job: Job, limits: Limits, busybox: Path, filter_fd: int) -> list[str]:
    """The options that make the house; the program itself is not among them."""
    mounts = [word for m in job.mounts for word in ("--ro-bind", str(m.source), m.target)]
    return [
        *_ALONE,
        *("--ro-bind", str(busybox), "/t/busybox"),
        *mounts,
        *("--size", str(limits.scratch_bytes), "--tmpfs", "/tmp"),  # noqa: S108 - the sandbox's own
        *("--size", str(limits.output_bytes), "--tmpfs", "/o"),
        *("--dev", "/dev", "--remount-ro", "/dev"),
        *("--proc", "/proc"),
        *_masks(),
        *("--chdir", job.folder),
        *_environment(limits),
        *("--remount-ro", "/"),
        *("--seccomp", str(filter_fd)),
    ]


_ALONE = [
    "--unshare-user",
    "--disable-userns",
    "--unshare-pid",
    "--unshare-net",
    "--unshare-ipc",
    "--unshare-uts",
    "--unshare-cgroup-try",
    "--die-with-parent",
    "--new-session",
    *("--uid", str(_USER), "--gid", str(_USER)),
    *("--hostname", "build"),
    "--clearenv",
    *("--cap-drop", "ALL"),
]


def _masks() -> list[str]:
    files = [f"/proc/{name}" for name in _MASKED_FILES]
    folders = [f"/proc/{name}" for name in _MASKED_FOLDERS]
    masks = [w for p in files if Path(p).exists() for w in ("--ro-bind", "/dev/null", p)]
    return masks + [
        w for p in folders if Path(p).exists() for w in ("--tmpfs", p, "--remount-ro", p)
    ]


def _environment(limits: Limits) -> list[str]:
    # a Go program knows its limits only from /proc and /sys, which it does not see
    values = {
        "PATH": "/t",
        "HOME": "/tmp",  # noqa: S108 - the sandbox's own
        "TMPDIR": "/tmp",  # noqa: S108 - the sandbox's own
        "GOMAXPROCS": str(max(1, round(limits.cpus))),
        "GOMEMLIMIT": str(int(limits.memory_bytes * _HEAP_PART)),
    }
    return [word for name, value in values.items() for word in ("--setenv", name, value)]


def outside(
    limits: Limits, *, user: int | None, has_group: bool, setpriv: str, prlimit: str
) -> list[str]:
    """The programs that bubblewrap is started through: each gives something up."""
    rights = [setpriv, "--no-new-privs"]
    if user is not None:
        # a bubblewrap started by root would write files as root, whatever it is told
        rights += [f"--reuid={user}", f"--regid={user}", "--clear-groups", "--inh-caps=-all"]
    most = {
        "core": 0,
        "nofile": _FILES,
        "fsize": limits.output_bytes,
        "cpu": max(1, int(limits.wall_s * limits.cpus) + 1),
        "stack": _STACK_BYTES,
        "msgqueue": 0,
        "memlock": 0,
    }
    if not has_group:
        # for each process alone, where no group can count them together
        most |= {"nproc": limits.processes, "data": limits.memory_bytes}
    return [*rights, prlimit, *(f"--{name}={value}" for name, value in most.items())]
