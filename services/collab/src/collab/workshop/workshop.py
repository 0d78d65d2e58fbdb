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
from collab.workshop.worker import LENGTH, done, loaded, packed
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
    """A few processes, which are there before there is something to do."""

    def __init__(self, settings: Settings) -> None:
        self._cpu_s_max = settings.workshop_cpu_s_max
        self._wait_s_max = settings.workshop_wait_s_max
        self._processes_max = settings.workshop_processes
        self._free = asyncio.Semaphore(self._processes_max)
        self._idle: list[Process] = []
        self._busy = 0
        self._functions: tuple[Callable[..., Any], ...] = ()
        self._starts: set[asyncio.Task[None]] = set()

    def open(self, *functions: Callable[..., Any]) -> None:
        """Have processes that know these functions, now and after one has ended.

        Without, who asks first waits for a process to load what it needs.
        """
        self._functions = functions
        for _ in range(self._processes_max):
            self._start_soon()

    async def do[T](self, size: int, function: Callable[..., T], *arguments: Any) -> T:  # noqa: ANN401 - any work
        """Call a function on ``size`` bytes of document; it and what it takes can be pickled.

        Raises what the function does of ``ServiceError``, ``SpoiledError``, and
        ``UnavailableError`` where no process can do it now.
        """
        if size <= _INLINE_BYTES_MAX:
            could, result = done(function, *arguments)
        else:
            could, result = await self._elsewhere(packed((function, arguments)))
        if isinstance(result, ServiceError):
            raise result
        if not could:
            log.warning("document_spoiled", work=function.__name__, error=result)
            raise SpoiledError
        return cast("T", result)

    async def _elsewhere(self, work: bytes) -> tuple[bool, Any]:
        async with self._free:
            self._busy += 1
            try:
                process = self._rested() or await self._started()
                result = await self._handed(process, work)
            except BaseException:
                self._start_soon()
                raise
            finally:
                self._busy -= 1
            if process.returncode is None:
                self._idle.append(process)
            else:
                self._start_soon()
            return result

    def _rested(self) -> Process | None:
        while self._idle:
            process = self._idle.pop()
            if process.returncode is None:
                return process
        return None

    async def _handed(self, process: Process, work: bytes) -> tuple[bool, Any]:
        try:
            async with asyncio.timeout(self._wait_s_max):
                return await _asked(process, work)
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

    def _start_soon(self) -> None:
        if self._functions:
            task = asyncio.create_task(self._loaded())
            self._starts.add(task)
            task.add_done_callback(self._starts.discard)

    async def _loaded(self) -> None:
        async with self._free:
            # somebody who asked meanwhile may have started one
            self._idle = [one for one in self._idle if one.returncode is None]
            if len(self._idle) + self._busy >= self._processes_max:
                return
            self._busy += 1
            try:
                process = await self._started()
                await self._handed(process, packed((loaded, self._functions)))
            except UnavailableError:
                # it has been said, and who asks next starts one
                return
            finally:
                self._busy -= 1
            if process.returncode is None:
                self._idle.append(process)

    async def _started(self) -> Process:
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
        self._functions = ()
        for start in self._starts:
            start.cancel()
        await asyncio.gather(*self._starts, return_exceptions=True)
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
