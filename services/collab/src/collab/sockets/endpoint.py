"""What a socket is to whoever serves it, whether its client is at this process or at another."""

import asyncio
from collections.abc import Callable
from typing import Protocol

import msgspec

from collab.sockets import closing
from collab.sockets.audience import Outlet
from collab.sockets.target import Target

_WAIT = "retry-after=1"
# a frame counts as one, and as one more for each time that it has so many bytes
_BYTES_SHIFT = 14

type Sink = Callable[[bytes, bool], None]


class Limits(msgspec.Struct, frozen=True):
    """What one connection may do."""

    frames_per_second: float
    frames_burst: int
    early_frames_max: int
    early_bytes_max: int
    send_buffer_bytes_max: int


class Endpoint(Outlet, Protocol):
    """A client's socket: messages come to a sink, and whole frames are written."""

    @property
    def target(self) -> Target:
        """What it is for."""

    def attach(self, sink: Sink) -> None:
        """Give what waits, and everything that comes, to ``sink``: a message, and if it is text."""

    def shut(self, code: int, reason: str) -> None:
        """Close the socket, once; nothing is read or written any more."""

    async def wait_closed(self) -> None:
        """Wait until it has ended."""


class Inbox:
    """What one client sends, counted. What comes before there is a sink waits, in order."""

    __slots__ = (
        "_counted_at",
        "_early",
        "_early_bytes",
        "_is_over",
        "_limits",
        "_loop",
        "_shut",
        "_sink",
        "_spent",
    )

    def __init__(self, limits: Limits, shut: Callable[[int, str], None]) -> None:
        self._limits = limits
        self._shut = shut
        self._loop = asyncio.get_running_loop()
        self._sink: Sink | None = None
        self._early: list[tuple[bytes, bool]] = []
        self._early_bytes = 0
        self._spent = 0.0
        self._counted_at = self._loop.time()
        self._is_over = False

    def attach(self, sink: Sink) -> None:
        """Give what waits, and everything that comes, to ``sink``."""
        early, self._early = self._early, []
        self._sink = sink
        for data, is_text in early:
            if not self._is_over:
                sink(data, is_text)

    def end(self) -> None:
        """Give nothing to anybody any more."""
        self._is_over = True

    async def first(self) -> bytes:
        """Take the first message that has come, or comes."""
        if self._early:
            return self._early.pop(0)[0]
        came: asyncio.Future[bytes] = self._loop.create_future()

        def take(data: bytes, _: bool) -> None:  # noqa: FBT001 - a sink's signature
            self._sink = None
            if not came.done():
                came.set_result(data)

        self._sink = take
        return await came

    def take(self, data: bytes, is_text: bool) -> None:  # noqa: FBT001 - a sink's signature
        """Pass a message on, or keep it until somebody wants it."""
        if self._is_over:
            return
        if self._sink is not None:
            self._sink(data, is_text)
            return
        self._early.append((data, is_text))
        self._early_bytes += len(data)
        if self._early_bytes > self._limits.early_bytes_max:
            self._shut(closing.TOO_BIG, "too much before the greeting")
        elif len(self._early) > self._limits.early_frames_max:
            self._shut(closing.TOO_MANY, _WAIT)

    def count(self, size: int) -> bool:
        """Count a frame, the more the larger it is, and say whether it may come.

        The clock is only looked at once a whole burst was spent.
        """
        if self._is_over:
            return False
        cost = 1 + (size >> _BYTES_SHIFT)
        self._spent += cost
        limits = self._limits
        if self._spent <= limits.frames_burst:
            return True
        now = self._loop.time()
        regained = (now - self._counted_at) * limits.frames_per_second
        self._spent = max(cost, self._spent - regained)
        self._counted_at = now
        if self._spent <= limits.frames_burst:
            return True
        self._shut(closing.TOO_MANY, _WAIT)
        return False
