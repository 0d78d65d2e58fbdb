"""Passing changes on: at once while it is quiet, in one write for each peer while it is busy."""

import asyncio

from collab.sockets.audience import Audience, Outlet


class Relay:
    """The peers of one document.

    The first frame of a quiet moment leaves with the loop's next turn; what comes within the
    window behind it is written together, which under load costs each peer one write a window.
    """

    __slots__ = ("_loop", "_next", "_timer", "_waiting", "_window_s", "audience")

    def __init__(self, window_s: float) -> None:
        self.audience = Audience()
        self._loop = asyncio.get_running_loop()
        self._window_s = window_s
        self._waiting: list[tuple[bytes, Outlet | None]] = []
        self._timer: asyncio.Handle | None = None
        self._next = 0.0

    def send(self, frame: bytes, origin: Outlet | None) -> None:
        """Write ``frame`` to every peer but its origin, soon."""
        self._waiting.append((frame, origin))
        if self._timer is not None:
            return
        now = self._loop.time()
        if now >= self._next:
            self._next = now + self._window_s
            self._timer = self._loop.call_soon(self.flush)
        else:
            self._timer = self._loop.call_at(self._next, self.flush)
            self._next += self._window_s

    def flush(self) -> None:
        """Write what waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waiting, self._waiting = self._waiting, []
        self.audience.relay(waiting)
