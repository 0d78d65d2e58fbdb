"""Processes that others left behind: taken in, and buried."""

import ctypes
import os
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36

_OURS: set[int] = set()


def adopt() -> None:
    """Become the parent of every descendant whose own parent is gone (Linux)."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def expect(process: int) -> None:
    """Leave ``process`` to whoever started it and waits for it."""
    _OURS.add(process)


def forget(process: int) -> None:
    """Say that nobody waits for ``process`` any more."""
    _OURS.discard(process)


def bury() -> int:
    """Reap the dead that nobody waits for; return how many they were.

    A wait for any child would take the exit status of those that somebody does wait for.
    """
    buried = 0
    for thread in Path("/proc/self/task").iterdir():
        try:
            children = (thread / "children").read_text().split()
        except OSError:
            continue
        for child in (int(c) for c in children):
            if child not in _OURS and _is_orphan_of_a_sandbox(child) and _reap(child):
                buried += 1
    return buried


def _is_orphan_of_a_sandbox(process: int) -> bool:
    try:
        return " (bwrap) Z " in Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False


def _reap(process: int) -> bool:
    try:
        return os.waitpid(process, os.WNOHANG)[0] == process
    except ChildProcessError:
        return False
