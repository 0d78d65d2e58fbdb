"""One socket: frames go straight from the parser to whoever handles them, without a queue."""

import asyncio
from typing import Any, Protocol, override

from websockets.asyncio.server import Server, ServerConnection
from websockets.frames import DATA_OPCODES, Frame, Opcode
from websockets.protocol import OPEN, Event
from websockets.server import ServerProtocol

from collab.sockets import closing
from collab.sockets.audience import Far
from collab.sockets.endpoint import Inbox, Limits, Sink
from collab.sockets.target import Target


class Raw(Protocol):
    """Whoever takes bytes as they come."""

    def receive(self, data: bytes) -> None:
        """Act on what came."""


class Socket(ServerConnection):
    """A connection with a sink. ``write`` takes whole frames.

    It is a client's once it was ``prepare``d, or another process's: then its bytes go to ``raw``.
    """

    target: Target
    limits: Limits
    inbox: Inbox
    # its client is at this process
    far: Far | None = None

    def __init__(self, protocol: ServerProtocol, server: Server, **options: Any) -> None:  # noqa: ANN401 - the library's
        super().__init__(protocol, server, **options)
        self.is_silent = False
        self.is_shut = False
        self.raw: Raw | None = None
        self._parts: list[bytes] = []
        self._is_text = False
        self._is_full = False
        self._closing: asyncio.Task[None] | None = None

    def prepare(self, target: Target, limits: Limits) -> None:
        """Be a client's, who is there for ``target``."""
        self.target = target
        self.limits = limits
        self.inbox = Inbox(limits, self.shut)

    def attach(self, sink: Sink) -> None:
        """Give what waits, and everything that comes, to ``sink``."""
        self.inbox.attach(sink)

    @override
    def data_received(self, data: bytes) -> None:
        if self.raw is not None:
            self.raw.receive(data)
            return
        self.is_silent = False
        super().data_received(data)

    @override
    def process_event(self, event: Event) -> None:
        if isinstance(event, Frame) and event.opcode in DATA_OPCODES:
            self._receive(event)
        else:
            super().process_event(event)

    def _receive(self, frame: Frame) -> None:
        if not self.inbox.count(len(frame.data)):
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
        self.inbox.take(data, self._is_text)

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
            self.inbox.end()
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
