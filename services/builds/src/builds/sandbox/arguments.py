"""What bubblewrap is told: an empty house with a few things to read in it."""

import os
from pathlib import Path

from msgspec import Struct

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
# the share of a processor that is left to a build while others want it: the API is among them
_NICENESS = 10
_ENTER = 'while [ "$1" != -- ]; do echo 0 >"$1" || exit 125; shift; done; shift; exec "$@"'
# whoever lost its parent before it asked to die with it would live on
_MOUNT = (
    '[ "$PPID" = "$1" ] && mount -t tmpfs -o "$2" none "$3" && mount -t tmpfs -o "$4" none "$5"'
    ' && shift 5 && exec "$@"'
)


class Programs(Struct, frozen=True):
    """Where the programs are that a sandbox is made with."""

    bwrap: str
    busybox: str
    nice: str
    prlimit: str
    setpriv: str
    unshare: str


class Disks(Struct, frozen=True):
    """Folders at which each run mounts disks of its own, seen by nobody else."""

    scratch: Path
    output: Path


def inside(job: Job, limits: Limits, busybox: str, disks: Disks, filter_fd: int) -> list[str]:
    """The options that make the house; the program itself is not among them."""
    mounts = [word for m in job.mounts for word in ("--ro-bind", str(m.source), m.target)]
    return [
        *_ALONE,
        *("--ro-bind", busybox, "/t/busybox"),
        *mounts,
        *("--bind", str(disks.scratch), "/tmp"),  # noqa: S108 - the sandbox's own
        *("--bind", str(disks.output), "/o"),
        *("--dev", "/dev", "--remount-ro", "/dev"),
        *("--proc", "/proc"),
        *_masks(),
        *("--chdir", job.folder),
        *(w for n, v in environment(limits).items() for w in ("--setenv", n, v)),
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


def environment(limits: Limits) -> dict[str, str]:
    """All that a tool finds in its environment."""
    # a Go program knows its limits only from /proc and /sys, which it does not see
    return {
        "PATH": "/t",
        "HOME": "/tmp",  # noqa: S108 - the sandbox's own
        "TMPDIR": "/tmp",  # noqa: S108 - the sandbox's own
        "GOMAXPROCS": str(max(1, round(limits.cpus))),
        "GOMEMLIMIT": str(int(limits.memory_bytes * _HEAP_PART)),
    }


def entering(programs: Programs, entrances: list[Path]) -> list[str]:
    """Step back behind others, and into the groups before anything else happens."""
    polite = [programs.nice, "-n", str(_NICENESS)]
    if not entrances:
        return polite
    words = [str(path) for path in entrances]
    return [*polite, programs.busybox, "sh", "-c", _ENTER, "sh", *words, "--"]


def outside(
    programs: Programs, disks: Disks, limits: Limits, *, user: int | None, has_group: bool
) -> list[str]:
    """The programs that bubblewrap is started through: each gives something up."""
    # bubblewrap dies with the worker too, and is not there yet
    rights = [programs.setpriv, "--no-new-privs", "--pdeathsig=KILL"]
    if user is not None:
        # a bubblewrap started by root would write files as root, whatever it is told
        rights += [f"--reuid={user}", f"--regid={user}", "--clear-groups", "--inh-caps=-all"]
    cpu_s = max(1, int(limits.cpu_s))
    most = {
        "core": 0,
        "nofile": _FILES,
        "fsize": limits.output_bytes,
        # a word first, then the end
        "cpu": f"{cpu_s}:{cpu_s + 1}",
        "stack": _STACK_BYTES,
        "msgqueue": 0,
        "memlock": 0,
    }
    if not has_group:
        # for each process alone, where no group can count them together
        most |= {"nproc": limits.processes, "data": limits.memory_bytes}
    return [
        *rights,
        *_with_disks(programs, disks, limits),
        # after the disks' user namespace: the processes of other runs, whose user is the same, do
        # not count in it
        *(programs.prlimit, *(f"--{name}={value}" for name, value in most.items())),
    ]


def _with_disks(programs: Programs, disks: Disks, limits: Limits) -> list[str]:
    """Mount the disks: bubblewrap's own have no limit to the number of files."""
    sizes = {disks.scratch: limits.scratch_bytes, disks.output: limits.output_bytes}
    words = [
        word
        for folder, size in sizes.items()
        for word in (f"size={size},nr_inodes={limits.files},mode=1777", str(folder))
    ]
    shell = [programs.busybox, "sh", "-c", _MOUNT, "sh", str(os.getpid())]
    return [programs.unshare, "--user", "--map-root-user", "--mount", *shell, *words]
