"""What a process gives up before it looks at a stranger's file."""

import ctypes
import os
import resource
import signal
from pathlib import Path

from assets.studio import seccomp
from assets.studio.messages import Limits

_NOBODY = 65_534
_PR_SET_PDEATHSIG = 1
_FILES = 64


def confine(limits: Limits) -> bool:
    """Take from this process what decoding does not need; false where some of it was kept."""
    _limit(limits)
    _bound("AS", limits.memory_bytes + _own_bytes())
    _step_down()
    return seccomp.narrow()


def confine_program(limits: Limits) -> bool:
    """Take from this process what a program that it becomes does not need.

    Such a program reserves far more addresses than it uses: they are not counted.
    """
    _limit(limits)
    _bound("DATA", 4 * limits.memory_bytes)
    _step_down()
    return seccomp.unplug()


def _limit(limits: Limits) -> None:
    _bound("CORE", 0)
    _bound("CPU", limits.cpu_s)
    _bound("FSIZE", limits.file_bytes)
    _bound("NOFILE", _FILES)


def _bound(name: str, value: int) -> None:
    kind = getattr(resource, f"RLIMIT_{name}")
    _, most = resource.getrlimit(kind)
    value = value if most == resource.RLIM_INFINITY else min(value, most)
    resource.setrlimit(kind, (value, value))


def _own_bytes() -> int:
    """How many addresses are taken by what is only code so far."""
    pages = Path("/proc/self/statm")
    return int(pages.read_text().split()[0]) * resource.getpagesize() if pages.exists() else 0


def _step_down() -> None:
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(_NOBODY, _NOBODY, _NOBODY)
        os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    follow_parent()


def follow_parent() -> None:
    """Let this process end when its parent does (Linux)."""
    library = ctypes.CDLL(None, use_errno=True)
    if hasattr(library, "prctl"):
        library.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
