"""A link to another process, for the clients here whose projects that one has."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from itertools import count
from typing import cast, override

from websockets.client import ClientProtocol
from websockets.uri import parse_uri

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
    Opening,
    Passed,
    Told,
)
from collab.links.wire import PATH, Wire
from collab.settings import Settings
from collab.sockets import closing
from collab.sockets.connection import Socket

_HEAD_BYTES_MAX = 16_384


class Outgoing(asyncio.Protocol):
    """The connection to an owner: a handshake, and then frames.

    ``on_end`` is told once that nobody can be served by it any more.
    """

    def __init__(
        self, settings: Settings, headers: dict[str, str], on_end: Callable[[], None]
    ) -> None:
        self._settings = settings
        self._headers = headers
        self._on_end = on_end
        self._client = ClientProtocol(parse_uri(f"ws://collab{PATH}"))
        self._head = b""
        self._transport: asyncio.Transport | None = None
        self._wire: Wire | None = None
        self._loop = asyncio.get_running_loop()
        self._is_over = False
        self._idle: asyncio.TimerHandle | None = None
        self._channels = count(1)
        self._sockets: dict[int, Socket] = {}
        self._groups: defaultdict[int, dict[int, Socket]] = defaultdict(dict)
        self.opened: asyncio.Future[bool] = self._loop.create_future()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        request = self._client.connect()
        for name, value in self._headers.items():
            request.headers[name] = value
        self._client.send_request(request)
        self._transport.write(b"".join(self._client.data_to_send()))

    @override
    def data_received(self, data: bytes) -> None:
        if self._wire is not None:
            self._wire.receive(data)
            return
        self._head += data
        head, found, rest = self._head.partition(b"\r\n\r\n")
        if found and self._transport is not None and not self.opened.done():
            self._client.receive_data(head + found)
            is_open = self._client.handshake_exc is None
            if is_open:
                self._wire = Wire(self._settings, self._transport, self._act)
                self._rest()
                self._wire.receive(rest)
            self.opened.set_result(is_open)
        elif len(self._head) > _HEAD_BYTES_MAX:
            self.end()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.end()

    def _act(self, frame: Frame) -> None:
        match frame:
            case Passed():
                self._pass(frame)
            case Told():
                self._tell(frame)
            case Answer():
                socket = self._sockets.get(frame.channel)
                if socket is not None:
                    socket.write(frame.data)
            case Join() | Leave():
                self._regroup(frame)
            case Close():
                self._shut(frame)
            case Beat():
                pass
            case _:
                raise GarbledError

    def _tell(self, told: Told) -> None:
        group = self._groups.get(told.group)
        if group is None:
            return
        for channel, socket in group.items():
            if channel not in told.but:
                socket.write(told.data)

    def _pass(self, passed: Passed) -> None:
        origins = {channel for channel, _ in passed.parts}
        for channel, socket in self._groups.get(passed.group, {}).items():
            data = passed.without(channel) if channel in origins else passed.data
            if data:
                socket.write(data)

    def _regroup(self, news: Join | Leave) -> None:
        group = self._groups[news.group]
        socket = self._sockets.get(news.channel)
        if isinstance(news, Leave):
            group.pop(news.channel, None)
        elif socket is not None:
            group[news.channel] = socket
        if not group:
            del self._groups[news.group]

    def _shut(self, close: Close) -> None:
        socket = self._sockets.pop(close.channel, None)
        if socket is not None:
            socket.shut(close.code, close.reason)
            self._rest()

    async def serve(self, socket: Socket, identity: Identity) -> None:
        """Let the owner serve a socket, until either side ends."""
        wire = self._wire
        if wire is None or self._is_over:
            socket.shut(closing.RESTARTING, "reconnect in a moment")
            return
        channel = next(self._channels)
        self._sockets[channel] = socket
        if self._idle is not None:
            self._idle.cancel()

        def pass_on(data: bytes, is_text: bool) -> None:  # noqa: FBT001 - a sink's signature
            if wire.is_full:
                socket.shut(closing.OVERLOADED, "the project is not available now")
            else:
                wire.send(Message(channel, is_text, data))

        wire.send(Open(channel, Opening(socket.target.place, identity)))
        socket.attach(pass_on)
        try:
            await socket.wait_closed()
        finally:
            if self._sockets.pop(channel, None) is not None:
                wire.send(Close(channel, closing.BYE, ""))
                self._rest()

    def _rest(self) -> None:
        """End some time after the last socket."""
        if not self._sockets and not self._is_over:
            if self._idle is not None:
                self._idle.cancel()
            self._idle = self._loop.call_later(self._settings.link_idle_s, self.end)

    def end(self) -> None:
        """End, and let those reconnect who were served."""
        if self._is_over:
            return
        self._is_over = True
        self._on_end()
        if self._idle is not None:
            self._idle.cancel()
        if not self.opened.done():
            self.opened.set_result(False)
        if self._wire is not None:
            self._wire.end()
        elif self._transport is not None:
            self._transport.close()
        for socket in self._sockets.values():
            socket.shut(closing.RESTARTING, "reconnect in a moment")
        self._groups.clear()
