"""A link from another process: its clients, whose projects this process has."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from itertools import count
from typing import override

import structlog

from collab.identity.types import Identity
from collab.links.frames import (
    Answer,
    Beat,
    Close,
    Frame,
    GarbledError,
    Join,
    Leave,
    Message,
    Open,
    Passed,
    Told,
)
from collab.links.wire import Wire
from collab.settings import Settings
from collab.sockets import closing, target
from collab.sockets.audience import Far, Line
from collab.sockets.endpoint import Endpoint, Inbox, Limits, Sink
from collab.sockets.target import Target

log = structlog.get_logger()

type Welcome = Callable[[FarSocket, Identity], Awaitable[None]]


class FarSocket(Endpoint):
    """The socket of a client who is at another process."""

    def __init__(
        self, line: Line, wire: Wire, channel: int, target: Target, limits: Limits
    ) -> None:
        self.is_shut = False
        self._far = Far(line, channel)
        self._wire = wire
        self._target = target
        self._inbox = Inbox(limits, self.shut)
        self._ended = asyncio.Event()

    @property
    @override
    def far(self) -> Far:
        """At which process the client is."""
        return self._far

    @property
    @override
    def target(self) -> Target:
        """What it is for."""
        return self._target

    @override
    def attach(self, sink: Sink) -> None:
        """Give what waits, and everything that comes, to ``sink``."""
        self._inbox.attach(sink)

    def take(self, message: Message) -> None:
        """Take what the client said; it was counted there as well, unless there is a mistake."""
        try:
            if self._inbox.count(len(message.data)):
                self._inbox.take(message.data, message.is_text)
        except Exception:
            # the others of the link have nothing to do with it
            log.exception("socket_failed")
            self.shut(closing.OUR_FAULT, "something went wrong")

    @override
    def write(self, data: bytes) -> None:
        """Write whole frames; whom nothing reaches any more is sent away."""
        if self.is_shut:
            return
        if self._wire.is_full:
            self.shut(closing.OVERLOADED, "the project is not available now")
            return
        self._wire.send(Answer(self._far.channel, data))

    @override
    def shut(self, code: int, reason: str) -> None:
        """Close the socket, once; nothing is read or written any more."""
        if not self.is_shut:
            self.end()
            self._wire.send(Close(self._far.channel, code, reason))

    def end(self) -> None:
        """Be over: the client has gone, or will have."""
        self.is_shut = True
        self._inbox.end()
        self._ended.set()

    @override
    async def wait_closed(self) -> None:
        """Wait until it has ended."""
        await self._ended.wait()


class Incoming(Line):
    """The clients of one other process."""

    def __init__(
        self, settings: Settings, limits: Limits, transport: asyncio.Transport, welcome: Welcome
    ) -> None:
        self.sockets: dict[int, FarSocket] = {}
        self._limits = limits
        self._welcome = welcome
        self._wire = Wire(settings, transport, self._act)
        self._groups = count(1)
        self._tasks: set[asyncio.Task[None]] = set()

    def receive(self, data: bytes) -> None:
        """Act on what came."""
        self._wire.receive(data)

    def _act(self, frame: Frame) -> None:
        match frame:
            case Message():
                socket = self.sockets.get(frame.channel)
                if socket is not None:
                    socket.take(frame)
            case Open():
                self._open(frame)
            case Close():
                socket = self.sockets.get(frame.channel)
                if socket is not None:
                    socket.end()
            case Beat():
                pass
            case _:
                raise GarbledError

    def _open(self, frame: Open) -> None:
        if frame.channel in self.sockets:
            raise GarbledError
        wanted = target.parse(frame.opening.place)
        if wanted is None:
            raise GarbledError
        socket = FarSocket(self, self._wire, frame.channel, wanted, self._limits)
        self.sockets[frame.channel] = socket
        work = self._serve(frame.channel, socket, frame.opening.identity)
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, channel: int, socket: FarSocket, identity: Identity) -> None:
        try:
            await self._welcome(socket, identity)
        finally:
            del self.sockets[channel]

    @override
    def new_group(self) -> int:
        """Return the number of a group in which nobody is."""
        return next(self._groups)

    @override
    def join(self, group: int, channel: int) -> None:
        """Let a channel hear what is told to a group."""
        self._wire.send(Join(group, channel))

    @override
    def leave(self, group: int, channel: int) -> None:
        """Let a channel hear it no more."""
        self._wire.send(Leave(group, channel))

    @override
    def tell(self, group: int, but: Collection[int], data: bytes) -> None:
        """Tell a group something, except for some of its channels."""
        self._wire.send(Told(group, tuple(but), data))

    @override
    def relay(self, group: int, parts: Sequence[tuple[int, int]], data: bytes) -> None:
        """Tell a group what came from others, and from some of its channels."""
        self._wire.send(Passed(group, tuple(parts), data))

    def end(self) -> None:
        """End the link once everything is sent."""
        self._wire.end()

    async def ended(self) -> None:
        """Let everybody go whose process has gone."""
        self._wire.cut()
        for socket in tuple(self.sockets.values()):
            socket.end()
        if self._tasks:
            await asyncio.wait(self._tasks)
