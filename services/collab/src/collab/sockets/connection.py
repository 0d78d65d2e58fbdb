"""One socket: frames go straight from the parser to whoever handles them, without a queue."""

import asyncio
from collections.abc import Callable
from typing import Any, override

import msgspec
from websockets.asyncio.server import Server, ServerConnection
from websockets.frames import DATA_OPCODES, Frame, Opcode
from websockets.protocol import OPEN, Event
from websockets.server import ServerProtocol

from collab.identity.types import Identity
from collab.sockets import closing
from collab.sockets.target import Target

_WAIT = "retry-after=1"

type Sink = Callable[[bytes, bool], None]


class Limits(msgspec.Struct, frozen=True):
    """What one connection may do."""

    frames_per_second: float
    frames_burst: int
    early_frames_max: int
    early_bytes_max: int
    send_buffer_bytes_max: int


class Socket(ServerConnection):
    """A connection with a sink: called with each message and whether it is text.

    What arrives before there is a sink waits, in order. ``write`` takes whole frames.
    """

    limits: Limits
    target: Target
    # as another process of the fleet says
    identity: Identity | None

    def __init__(self, protocol: ServerProtocol, server: Server, **options: Any) -> None:  # noqa: ANN401 - the library's
        super().__init__(protocol, server, **options)
        self.identity = None
        self.is_silent = False
        self.is_shut = False
        # of who passes frames on, and so must hear of this one too
        self.on_pong: Callable[[bytes], None] | None = None
        self._sink: Sink | None = None
        self._early: list[tuple[bytes, bool]] = []
        self._early_bytes = 0
        self._parts: list[bytes] = []
        self._is_text = False
        self._is_full = False
        self._spent = 0.0
        self._counted_at = self.loop.time()
        self._closing: asyncio.Task[None] | None = None

    def attach(self, sink: Sink) -> None:
        """Give what waits, and everything that comes, to ``sink``."""
        early, self._early = self._early, []
        self._sink = sink
        for data, is_text in early:
            if not self.is_shut:
                sink(data, is_text)

    async def first(self) -> bytes:
        """Take the first message that has come, or comes."""
        if self._early:
            return self._early.pop(0)[0]
        came: asyncio.Future[bytes] = self.loop.create_future()

        def take(data: bytes, _: bool) -> None:  # noqa: FBT001 - a sink's signature
            self._sink = None
            if not came.done():
                came.set_result(data)

        self._sink = take
        return await came

    @override
    def data_received(self, data: bytes) -> None:
        self.is_silent = False
        super().data_received(data)

    @override
    def process_event(self, event: Event) -> None:
        if isinstance(event, Frame) and event.opcode in DATA_OPCODES:
            self._receive(event)
            return
        if isinstance(event, Frame) and event.opcode is Opcode.PONG and self.on_pong is not None:
            self.on_pong(bytes(event.data))
        super().process_event(event)

    def _receive(self, frame: Frame) -> None:
        if self.is_shut or not self._is_allowed():
            return
        if frame.opcode is not Opcode.CONT:
            self._is_text = frame.opcode is Opcode.TEXT
        data = bytes(frame.data)
        if self._parts or not frame.fin:
            self._parts.append(data)
            if not frame.fin:
                return
            data = b"".join(self._parts)
            self._parts.clear()
        if self._sink is not None:
            self._sink(data, self._is_text)
            return
        self._early.append((data, self._is_text))
        self._early_bytes += len(data)
        if self._early_bytes > self.limits.early_bytes_max:
            self.shut(closing.TOO_BIG, "too much before the greeting")
        elif len(self._early) > self.limits.early_frames_max:
            self.shut(closing.TOO_MANY, _WAIT)

    def _is_allowed(self) -> bool:
        """Count the frame; the clock is only looked at once a whole burst was spent."""
        self._spent += 1
        if self._spent <= self.limits.frames_burst:
            return True
        now = self.loop.time()
        regained = (now - self._counted_at) * self.limits.frames_per_second
        self._spent = max(1.0, self._spent - regained)
        self._counted_at = now
        if self._spent <= self.limits.frames_burst:
            return True
        self.shut(closing.TOO_MANY, _WAIT)
        return False

    @property
    def is_open(self) -> bool:
        """Whether frames can be written."""
        return self.protocol.state is OPEN and not self.is_shut

    def write(self, data: bytes) -> None:
        """Write whole frames; a reader that stays too far behind is cut off."""
        if self.protocol.state is not OPEN or self.is_shut:
            return
        if (
            self._is_full
            and self.transport.get_write_buffer_size() > self.limits.send_buffer_bytes_max
        ):
            self.shut(closing.OVERLOADED, "too slow a reader")
            return
        self.transport.write(data)

    @override
    def pause_writing(self) -> None:
        self._is_full = True
        super().pause_writing()

    @override
    def resume_writing(self) -> None:
        self._is_full = False
        super().resume_writing()

    def shut(self, code: int, reason: str) -> None:
        """Close the socket, once; nothing is read or written any more."""
        if not self.is_shut:
            self.is_shut = True
            self._closing = self.loop.create_task(self.close(code, reason))

    def check_alive(self) -> None:
        """Close what gave no sign of life since the last look; ask the others for one."""
        if not self.is_open:
            return
        if self.is_silent:
            self.shut(closing.TOO_LATE, "no sign of life")
            return
        self.is_silent = True
        self.protocol.send_ping(b"")
        self.send_data()
