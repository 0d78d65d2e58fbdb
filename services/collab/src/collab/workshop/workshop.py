"""Work on whole documents, where nobody has to wait for it.

The CRDT library holds the interpreter while it works, and a document may be made so that it works
for minutes, or fails in a way that ends a process. So all but the smallest are handed to processes
of their own, which are ended when they take too much of a processor. A machine that is busy, or
short of memory, says nothing of a document: then the work is tried again.
"""

import asyncio
import pickle
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

import structlog

from collab.settings import Settings
from collab.workshop.worker import LENGTH, done, packed
from common.errors import ServiceError, UnavailableError

log = structlog.get_logger()

# by these a process ends that had too much to do, or that the library failed in
_SPOILED = {-signal.SIGPROF, -signal.SIGABRT, -signal.SIGSEGV, -signal.SIGBUS, -signal.SIGILL}
# what is smaller is quicker done than handed over
_INLINE_BYTES_MAX = 4_096
# how the library fails where it trusts what it was given: no `Exception`
_PANIC = "PanicException"


class SpoiledError(Exception):
    """Nothing can be made of this document, or not with the work that it is worth."""


def spoiled_by(exc: BaseException) -> BaseException:
    """Return what it means that something was raised while a document was made."""
    if isinstance(exc, Exception) or type(exc).__name__ == _PANIC:
        log.warning("document_spoiled", error=repr(exc))
        return SpoiledError()
    return exc


class Workshop:
    """A few processes, started when there is something to do."""

    def __init__(self, settings: Settings) -> None:
        self._cpu_s_max = settings.workshop_cpu_s_max
        self._wait_s_max = settings.workshop_wait_s_max
        self._free = asyncio.Semaphore(settings.workshop_processes)
        self._idle: list[Process] = []

    async def do[T](self, size: int, function: Callable[..., T], *arguments: Any) -> T:  # noqa: ANN401 - any work
        """Call a function on ``size`` bytes of document; it and what it takes can be pickled.

        Raises what the function does of ``ServiceError``, ``SpoiledError``, and
        ``UnavailableError`` where no process can do it now.
        """
        if size <= _INLINE_BYTES_MAX:
            could, result = done(function, *arguments)
        else:
            async with self._free:
                could, result = await self._handed(packed((function, arguments)))
        if isinstance(result, ServiceError):
            raise result
        if not could:
            log.warning("document_spoiled", work=function.__name__, error=result)
            raise SpoiledError
        return cast("T", result)

    async def _handed(self, work: bytes) -> tuple[bool, Any]:
        process = await self._process()
        try:
            async with asyncio.timeout(self._wait_s_max):
                result = await _asked(process, work)
        except asyncio.IncompleteReadError as exc:
            code = await process.wait()
            if code in _SPOILED:
                return False, f"ended with {code}"
            log.warning("workshop_ended", code=code)
            raise UnavailableError from exc
        except (TimeoutError, OSError) as exc:
            await _end(process)
            log.warning("workshop_waits", error=repr(exc))
            raise UnavailableError from exc
        except BaseException:
            # its answer would be taken for another one's
            await _end(process)
            raise
        self._idle.append(process)
        return result

    async def _process(self) -> Process:
        while self._idle:
            process = self._idle.pop()
            if process.returncode is None:
                return process
        try:
            return await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "collab.workshop.worker", str(self._cpu_s_max)),
                stdin=PIPE,
                stdout=PIPE,
                # it sees what strangers send, and has no use for secrets
                env={},
            )
        except OSError as exc:
            raise UnavailableError from exc

    async def close(self) -> None:
        """End the processes."""
        idle, self._idle = self._idle, []
        for process in idle:
            await _end(process)


async def _asked(process: Process, work: bytes) -> tuple[bool, Any]:
    come, go = process.stdout, process.stdin
    if come is None or go is None:
        raise OSError("There is no way to the process.")
    go.write(work)
    await go.drain()
    (size,) = LENGTH.unpack(await come.readexactly(LENGTH.size))
    result: tuple[bool, Any] = pickle.loads(await come.readexactly(size))  # noqa: S301 - from our own process
    return result


async def _end(process: Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()
    # it may be in the midst of being told
    await asyncio.shield(process.wait())
