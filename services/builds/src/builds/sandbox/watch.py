"""A run that is listened to: for so long, up to so much, and over when it is over."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

from msgspec import Struct

from builds.sandbox.process import Pipe, Process
from builds.sandbox.types import Heard, Limits, Verdict

_FLOOD = 4
_AFTER_S = 5.0
_CUT = "\n[cut here: more than {most} bytes were said]\n"


class FloodError(Exception):
    """More came than there may be."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict)
        self.verdict = verdict


class Said:
    """What a run says, kept to the limit and marked there; far beyond it the run is ended."""

    def __init__(self, limits: Limits, heard: Heard) -> None:
        self._limit = limits.log_bytes
        self._heard = heard
        self._count = 0
        self._kept = bytearray()

    @property
    def text(self) -> bytes:
        """What was kept of it."""
        return bytes(self._kept)

    def __call__(self, piece: bytes) -> None:
        """Hear some bytes; raises ``FloodError``."""
        was_whole = self._count <= self._limit
        kept = piece[: max(0, self._limit - self._count)]
        self._count += len(piece)
        if was_whole and self._count > self._limit:
            kept += _CUT.format(most=self._limit).encode()
        if kept:
            self._kept += kept
            self._heard(kept)
        if self._count > self._limit * _FLOOD:
            raise FloodError("log_flood")


class Written:
    """What a run made, written to a file up to the limit."""

    def __init__(self, limits: Limits, file: IO[bytes] | None) -> None:
        self._left = limits.output_bytes
        self._file = file

    def __call__(self, piece: bytes) -> None:
        """Take some bytes; raises ``FloodError``."""
        self._left -= len(piece)
        if self._left < 0:
            raise FloodError("output_flood")
        if self._file is not None:
            self._file.write(piece)


class Ways(Struct, frozen=True):
    """The pipes of a run, which its process is to be given."""

    log: Pipe
    output: Pipe


async def watched(
    limits: Limits,
    said: Said,
    output: Path | None,
    start: Callable[[Ways], Process],
    kill: Callable[[], None],
) -> tuple[Verdict, int]:
    """Run what ``start`` starts to its end, or to that of our patience; ``kill`` ends the rest."""
    async with AsyncExitStack() as held:
        ways = Ways(Pipe(), Pipe())
        held.push_async_callback(ways.log.close)
        held.push_async_callback(ways.output.close)
        written = Written(limits, held.enter_context(opened(output)))
        process = start(ways)
        held.callback(process.close)
        ways.log.let_go()
        ways.output.let_go()
        verdict: Verdict = "ended"
        try:
            async with asyncio.timeout(limits.wall_s):
                await _all(_ended(process, kill), ways.log.pump(said), ways.output.pump(written))
        except TimeoutError:
            verdict = "timed_out"
        except FloodError as exc:
            verdict = exc.verdict
        finally:
            process.kill()
            kill()
            async with asyncio.timeout(_AFTER_S):
                code = await process.ended()
        return verdict, code


async def _ended(process: Process, kill: Callable[[], None]) -> None:
    await process.ended()
    # what it left behind would keep the pipes open
    kill()


async def _all(*work: Coroutine[Any, Any, object]) -> None:
    tasks = [asyncio.get_running_loop().create_task(w) for w in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


@contextmanager
def opened(path: Path | None) -> Iterator[IO[bytes] | None]:
    """The file that an output goes to, if it is wanted."""
    if path is None:
        yield None
        return
    with path.open("wb") as file:
        yield file
