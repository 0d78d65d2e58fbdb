"""One worker, as the service sees it: a process that is asked one thing at a time."""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

import msgspec

from assets.studio.messages import FRAME_BYTES_MAX, LENGTH, Answer, Task, frame

_SOURCES = Path(__file__).parents[2]
# the worker ends a task that is late; one that does not even do that is ended itself
_GRACE_S = 5.0


class LostError(Exception):
    """The worker ended, or did not answer in time."""


class Worker:
    """A process of ``assets.studio.worker``, and the pipes to it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls) -> "Worker":
        """Start one. It is told nothing but where its code is."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "assets.studio.worker",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={"PYTHONPATH": str(_SOURCES), "PYTHONDONTWRITEBYTECODE": "1"},
            cwd="/",
            start_new_session=True,
        )
        return cls(process)

    async def ask(self, task: Task) -> Answer:
        """Have a task done; raises ``LostError``, and then it is of no more use."""
        try:
            async with asyncio.timeout(task.limits.wall_s + _GRACE_S):
                return await self._asked(task)
        except (TimeoutError, OSError, asyncio.IncompleteReadError, msgspec.MsgspecError) as exc:
            raise LostError(repr(exc)) from exc

    async def _asked(self, task: Task) -> Answer:
        writing, reading = self._process.stdin, self._process.stdout
        if writing is None or reading is None:
            raise LostError("no pipes")
        writing.write(frame(task))
        await writing.drain()
        (length,) = LENGTH.unpack(await reading.readexactly(LENGTH.size))
        if length > FRAME_BYTES_MAX + LENGTH.size:
            raise LostError("too long an answer")
        return msgspec.msgpack.decode(await reading.readexactly(length), type=Answer)

    @property
    def is_alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.returncode is None

    async def end(self) -> None:
        """End it now, and whatever it started."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        if self._process.stdin is not None:
            self._process.stdin.close()
        await self._process.wait()
