"""A socket whose project is another process's: its bytes go there and come back as they are.

Frames from the owner are passed on unread, so that they cost here what a relay costs; the client's
are put into frames of a client again. Whoever is there was identified here, and says so with a
word that only this fleet can sign.
"""

import asyncio
import hmac
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection
from hashlib import sha256
from typing import cast, override
from uuid import UUID

import msgspec
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

from collab.identity.types import Identity
from collab.leases.schema import Owner
from collab.settings import Settings
from collab.sockets import closing
from collab.sockets.connection import Socket

HEADER = "x-node-identity"
_GOOD_FOR_S = 10.0


class _Word(msgspec.Struct, frozen=True):
    identity: Identity
    until: float


def signed(identity: Identity, secret: str) -> str:
    """Say who somebody is, to another process of the fleet, for a few seconds."""
    word = msgspec.json.encode(_Word(identity, time.time() + _GOOD_FOR_S))
    return f"{urlsafe_b64encode(word).decode()}.{_signature(word, secret)}"


def read(header: str, secret: str) -> Identity | None:
    """Return who somebody is by another process's word; ``None`` where it is none."""
    payload, _, signature = header.partition(".")
    try:
        word = urlsafe_b64decode(payload)
        if not hmac.compare_digest(signature.encode(), _signature(word, secret).encode()):
            return None
        said = msgspec.json.decode(word, type=_Word)
    except (ValueError, msgspec.MsgspecError):
        return None
    return said.identity if said.until > time.time() else None


def _signature(word: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), b"node-identity:" + word, sha256).hexdigest()


class _Upstream(asyncio.Protocol):
    """The connection to the owner: a handshake, and then bytes."""

    def __init__(self, socket: Socket, path: str, headers: dict[str, str]) -> None:
        self._socket = socket
        self._client = ClientProtocol(parse_uri(f"ws://collab{path}"))
        self._headers = headers
        self._head = b""
        self._transport: asyncio.Transport | None = None
        loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[bool] = loop.create_future()
        self.ended: asyncio.Future[None] = loop.create_future()

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
        if self.opened.done():
            self._socket.write(data)
            return
        self._head += data
        head, found, rest = self._head.partition(b"\r\n\r\n")
        if not found:
            return
        self._client.receive_data(head + found)
        self.opened.set_result(self._client.handshake_exc is None)
        if rest:
            self._socket.write(rest)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_result(False)
        if not self.ended.done():
            self.ended.set_result(None)

    def send(self, data: bytes, opcode: Opcode) -> None:
        """Pass on what the client sent; an owner that does not read is not waited for."""
        if self._transport is None:
            return
        if self._transport.get_write_buffer_size() > self._socket.limits.send_buffer_bytes_max:
            self._socket.shut(closing.OVERLOADED, "the document is not available now")
            return
        self._transport.write(Frame(opcode, data).serialize(mask=True))

    def end(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()


class Splices:
    """The sockets that other processes serve, and since when their projects are those'."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._spliced: dict[Socket, int] = {}

    def owners(self) -> dict[UUID, int]:
        """Return by project since which epoch it is another's."""
        return {one.target.project_id: epoch for one, epoch in self._spliced.items()}

    def end(self, project_ids: Collection[UUID]) -> None:
        """Let those reconnect whose projects have moved on."""
        for socket in tuple(self._spliced):
            if socket.target.project_id in project_ids:
                socket.shut(closing.RESTARTING, "the project is open elsewhere")

    async def splice(self, socket: Socket, identity: Identity, owner: Owner) -> None:
        """Let the owner serve a socket, until either side ends.

        Raises ``OSError`` (``ConnectionRefusedError`` where nobody listens) and ``TimeoutError``.
        """
        self._spliced[socket] = owner.epoch
        try:
            await _splice(self._settings, socket, identity, owner)
        finally:
            del self._spliced[socket]


async def _splice(settings: Settings, socket: Socket, identity: Identity, owner: Owner) -> None:
    headers = {
        "x-fleet-secret": settings.fleet_secret,
        HEADER: signed(identity, settings.fleet_secret),
    }
    path = socket.target.place
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(settings.link_wait_s):
        _, upstream = await loop.create_connection(
            lambda: _Upstream(socket, path, headers), owner.host, owner.socket_port
        )
        if not await upstream.opened:
            upstream.end()
            raise ConnectionAbortedError

    def pass_on(data: bytes, is_text: bool) -> None:  # noqa: FBT001 - a sink's signature
        upstream.send(data, Opcode.TEXT if is_text else Opcode.BINARY)

    socket.on_pong = lambda data: upstream.send(data, Opcode.PONG)
    socket.attach(pass_on)
    gone = loop.create_task(socket.wait_closed())
    try:
        await asyncio.wait({gone, upstream.ended}, return_when=asyncio.FIRST_COMPLETED)
        # its own word on why, if it had one, was passed on before
        socket.shut(closing.RESTARTING, "reconnect in a moment")
    finally:
        upstream.end()
        await gone
