"""Processes that others left behind: taken in, and buried."""

import asyncio
import ctypes
import os
import signal
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import suppress
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36
_SANDBOX = "bwrap"
# what it is started through: that ends by itself where its worker is gone
_OF_SANDBOXES = {_SANDBOX, "busybox"}
_TRIES = 200
_PAUSE_S = 0.01
_NONE: frozenset[int] = frozenset()

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


async def gone(sessions: AbstractSet[int] = _NONE) -> None:
    """Return when all orphans are buried that were about to die."""
    for _ in range(_TRIES):
        bury(sessions)
        if not any(_orphans(sessions)):
            return
        await asyncio.sleep(_PAUSE_S)


def bury(sessions: AbstractSet[int] = _NONE) -> int:
    """Reap the dead of sandboxes, and of ``sessions``; return how many they were.

    A wait for any child would take the exit status of those that somebody does wait for.
    """
    buried = 0
    for child in _orphans(sessions):
        if _reap(child):
            buried += 1
        elif _is_sandbox(child):
            # bubblewrap asks to die with its parent, and this one lost it before it could ask
            # one that is set-uid root is not ours to kill
            with suppress(ProcessLookupError, PermissionError):
                os.kill(child, signal.SIGKILL)
    return buried


def _orphans(sessions: AbstractSet[int]) -> Iterator[int]:
    for thread in Path("/proc/self/task").iterdir():
        try:
            children = (thread / "children").read_text().split()
        except OSError:
            continue
        for child in (int(c) for c in children):
            if child not in _OURS and _is_of_a_sandbox(child, sessions):
                yield child


def _is_of_a_sandbox(process: int, sessions: AbstractSet[int]) -> bool:
    name, session = _seen(process)
    return name in _OF_SANDBOXES or session in sessions


def _is_sandbox(process: int) -> bool:
    return _seen(process)[0] == _SANDBOX


def _seen(process: int) -> tuple[str, int]:
    """The name and the session of a process; nothing of one that is gone."""
    try:
        name, _, rest = Path(f"/proc/{process}/stat").read_text().rpartition(") ")
    except OSError:
        return "", 0
    _, _, _, session, *_ = rest.split()
    return name.partition("(")[2], int(session)


def _reap(process: int) -> bool:
    try:
        return os.waitpid(process, os.WNOHANG)[0] == process
    except ChildProcessError:
        return False
