"""The process that decodes: ``python -m assets.studio.worker``.

It reads tasks, and has each done by a child of its own that gives up everything but two open files.
So it never touches a stranger's bytes itself, and what a child took it gives back when it ends. It
imports nothing of the service's: it is to start quickly, and to know nothing.
"""

import errno
import gc
import importlib
import os
import select
import signal
import sys
import time
from collections.abc import Callable
from typing import IO, Any, NoReturn

import msgspec

from assets.studio import confinement
from assets.studio.messages import (
    FRAME_BYTES_MAX,
    LENGTH,
    Answer,
    RefusedError,
    Task,
    Verdict,
    frame,
)
from assets.studio.work import Command, Function

_PIECE = 65_536
_SOURCE, _TARGET, _REPLY = 3, 4, 5
_FIRST_FREE = 16
_BROKEN = 70


def main() -> None:
    """Do what is asked on the standard input until it ends."""
    reading, writing = sys.stdin.buffer, sys.stdout.buffer
    while header := reading.read(LENGTH.size):
        (length,) = LENGTH.unpack(header)
        task = msgspec.msgpack.decode(reading.read(length), type=Task)
        writing.write(frame(_answer(task)))
        writing.flush()


def _answer(task: Task) -> Answer:
    try:
        # before the fork: a child finds everything imported, and its successors as well
        module = importlib.import_module(f"assets.studio.work.{task.medium}")
        # some work is done by a program of another language
        command: Command | None = getattr(module, f"{task.work}_command", None)
        if command is not None:
            words = command(task)
            return _delegated(task, lambda *files: _become(task, words, *files), _heard)
        function: Function = getattr(module, task.work)
        return _delegated(task, lambda *files: _child(task, function, *files), _decoded)
    except Exception as exc:  # noqa: BLE001 - whatever it is, the next task is due
        return Answer(verdict="broken", cause=repr(exc))


def _delegated(
    task: Task, begin: Callable[[int, int, int], NoReturn], read: Callable[[bytes], Answer]
) -> Answer:
    gc.collect()
    gc.freeze()
    reading, writing = os.pipe()
    source = os.open(task.source, os.O_RDONLY)
    target = os.open(task.target, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    child = os.fork()
    if child == 0:
        begin(source, target, writing)
    for number in (source, target, writing):
        os.close(number)
    content, is_late = _read(reading, time.monotonic() + task.limits.wall_s)
    os.close(reading)
    if is_late:
        os.kill(child, signal.SIGKILL)
    _, status, usage = os.wait4(child, 0)
    answer = _judged(content, status, read, is_late=is_late)
    return msgspec.structs.replace(answer, peak_bytes=usage.ru_maxrss * 1024)


def _read(reading: int, deadline: float) -> tuple[bytes, bool]:
    """What the child says until it closes its end, and whether it took too long over it."""
    content = b""
    while len(content) <= FRAME_BYTES_MAX:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([reading], [], [], left)[0]:
            return b"", True
        piece = os.read(reading, _PIECE)
        if not piece:
            return content, False
        content += piece
    return b"", True


def _judged(
    content: bytes, status: int, read: Callable[[bytes], Answer], *, is_late: bool
) -> Answer:
    if is_late:
        return Answer(verdict="demanding", cause="time")
    if os.WIFSIGNALED(status):
        return Answer(verdict="demanding", cause=f"signal {os.WTERMSIG(status)}")
    if os.WEXITSTATUS(status) == _BROKEN:
        return Answer(verdict="broken", cause="it ended before it could say why")
    try:
        return read(content)
    except msgspec.MsgspecError:
        return Answer(verdict="demanding", cause=f"status {status}")


def _child(task: Task, function: Function, source: int, target: int, reply: int) -> NoReturn:
    code = _BROKEN
    try:
        _settle(source, target, reply)
        is_confined = confinement.confine(task.limits)
        # never closed: what could not be written would be written once more
        given, made = os.fdopen(_SOURCE, "rb"), os.fdopen(_TARGET, "r+b")
        answer = _worked(task, function, given, made)
        answer = msgspec.structs.replace(answer, is_confined=is_confined)
        os.write(_REPLY, _encoded(answer))
        code = 0
    finally:
        # nothing of the parent's is finished here
        os._exit(code)


def _encoded(answer: Answer) -> bytes:
    try:
        return msgspec.msgpack.encode(answer)
    except (OverflowError, UnicodeEncodeError):
        # a file that counts further than anybody can
        odd = Answer(verdict="unreadable", cause="its facts cannot be said")
        return msgspec.msgpack.encode(msgspec.structs.replace(odd, is_confined=answer.is_confined))


def _decoded(content: bytes) -> Answer:
    return msgspec.msgpack.decode(content, type=Answer)


class _Said(msgspec.Struct):
    """What a program says of its work: facts, or what was wrong with the file."""

    facts: dict[str, Any] = {}
    error: str = ""


def _heard(content: bytes) -> Answer:
    said = msgspec.json.decode(content, type=_Said)
    verdict: Verdict = "unreadable" if said.error else "done"
    return Answer(verdict=verdict, facts=said.facts, cause=said.error)


def _become(task: Task, words: list[str], source: int, target: int, reply: int) -> NoReturn:
    try:
        _settle(source, target, reply)
        confinement.confine_program(task.limits)
        os.execve(words[0], words, {})  # noqa: S606 - our own words
    finally:
        os._exit(_BROKEN)


def _settle(*numbers: int) -> None:
    """Keep these files alone, under the numbers that are agreed upon."""
    high = [os.dup2(n, _FIRST_FREE + i) for i, n in enumerate(numbers)]
    for wanted, number in zip((_SOURCE, _TARGET, _REPLY), high, strict=True):
        os.dup2(number, wanted)
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nothing, number)
    os.closerange(_REPLY + 1, 1024)


def _worked(task: Task, function: Function, source: IO[bytes], target: IO[bytes]) -> Answer:
    try:
        facts = function(task, source, target)
        target.flush()
        return Answer(verdict="done", facts=facts)
    except RefusedError as exc:
        return Answer(verdict=exc.verdict, facts=exc.facts, cause=str(exc))
    except (ImportError, PermissionError) as exc:
        # it wanted what it should have had before
        return Answer(verdict="broken", cause=repr(exc))
    except Exception as exc:  # noqa: BLE001 - decoders fail in every way there is
        return Answer(verdict=_verdict(exc), cause=repr(exc)[:500])


def _verdict(exc: Exception) -> Verdict:
    is_full = isinstance(exc, OSError) and exc.errno in {errno.EFBIG, errno.ENOMEM}
    if is_full or isinstance(exc, MemoryError | RecursionError):
        return "demanding"
    return "unreadable"


if __name__ == "__main__":
    main()
