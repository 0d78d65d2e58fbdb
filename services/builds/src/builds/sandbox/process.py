"""One process outside of the event loop's own bookkeeping: its pipes, its end, its family."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType
from typing import IO

from builds.sandbox import children

_PIECE = 65_536


class Process:
    """A child with an empty environment, started from the event loop's own thread.

    What dies with its parent dies when the thread that started it does.
    """

    def __init__(
        self,
        command: Sequence[str],
        log: int,
        passed: Sequence[int] = (),
        *,
        reads: int = subprocess.DEVNULL,
        writes: int | None = None,
        environment: Mapping[str, str] = MappingProxyType({}),
        is_leader: bool = False,
    ) -> None:
        self._popen = subprocess.Popen(  # noqa: S603 - our own words, see ``arguments``
            command,
            # whatever is in here would be in /proc/1/environ of a sandbox
            env=environment,
            cwd="/",
            stdin=reads,
            stdout=log if writes is None else writes,
            stderr=log,
            pass_fds=passed,
            start_new_session=is_leader,
        )
        children.expect(self._popen.pid)
        self._ended = asyncio.get_running_loop().create_future()
        self._pidfd = os.pidfd_open(self._popen.pid)
        asyncio.get_running_loop().add_reader(self._pidfd, self._note)

    def _note(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)

    async def ended(self) -> int:
        """Wait for the end; return its code, negative for a signal."""
        await asyncio.shield(self._ended)
        return self._popen.wait()

    def kill(self) -> None:
        """End it now; its sandbox goes with it."""
        if self._popen.poll() is None:
            self._popen.send_signal(signal.SIGKILL)

    @property
    def pid(self) -> int:
        """Its id, and that of the session it leads."""
        return self._popen.pid

    def kill_group(self) -> None:
        """End it and all that it started, but for those that went away from its group."""
        with suppress(ProcessLookupError):
            os.killpg(self._popen.pid, signal.SIGKILL)

    def close(self) -> None:
        """Forget it."""
        asyncio.get_running_loop().remove_reader(self._pidfd)
        os.close(self._pidfd)
        children.forget(self._popen.pid)


class Pipe:
    """A pipe that a child writes and we read."""

    def __init__(self) -> None:
        reading, self.writing = os.pipe()
        self._file: IO[bytes] = os.fdopen(reading, "rb", buffering=0)
        self._transport: asyncio.ReadTransport | None = None
        self._is_open = True

    async def close(self) -> None:
        """Close both ends; return when they are closed."""
        self.let_go()
        if self._transport is None:
            self._file.close()
            return
        self._transport.close()
        # a transport lets go of its file in the loop's next turn, not in this one
        await asyncio.sleep(0)

    def let_go(self) -> None:
        """Close our copy of the writing end, so that the pipe ends when the child does."""
        if self._is_open:
            os.close(self.writing)
            self._is_open = False

    async def pump(self, heard: Callable[[bytes], None]) -> None:
        """Give ``heard`` every piece until the pipe ends."""
        reader = asyncio.StreamReader(limit=_PIECE)
        protocol = asyncio.StreamReaderProtocol(reader)
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.connect_read_pipe(lambda: protocol, self._file)
        while piece := await reader.read(_PIECE):
            heard(piece)
