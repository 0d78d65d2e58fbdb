"""The socket port: who may knock, and how everybody is sent home at the end."""

import asyncio
import hmac
import logging
import random
from http import HTTPStatus

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

from collab.identity.types import Identity
from collab.links import words
from collab.links.incoming import FarSocket, Incoming
from collab.links.wire import PATH
from collab.settings import Settings
from collab.sockets import closing, target
from collab.sockets.connection import Socket
from collab.sockets.endpoint import Endpoint, Limits
from collab.sockets.reception import Reception
from common.health import Watch


class Listener:
    """The WebSocket server of this process."""

    def __init__(self, settings: Settings, watch: Watch, reception: Reception) -> None:
        self._settings = settings
        self._watch = watch
        self._reception = reception
        self._origins = {o.strip() for o in settings.allowed_origins.split(",") if o.strip()}
        self._limits = Limits(
            settings.frames_per_second,
            settings.frames_burst,
            settings.early_frames_max,
            settings.document_frame_bytes_max,
            settings.send_buffer_bytes_max,
        )
        self._server: Server | None = None
        self._heart: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Begin to listen."""
        settings = self._settings
        logging.getLogger("websockets").setLevel(logging.WARNING)
        self._server = await serve(
            self._handle,
            settings.host,
            settings.socket_port,
            create_connection=Socket,
            process_request=self._knock,
            compression=None,
            ping_interval=None,
            close_timeout=settings.close_wait_s,
            max_size=settings.document_frame_bytes_max,
            server_header=None,
        )
        self._heart = asyncio.get_running_loop().create_task(self._beat())

    async def close(self) -> None:
        """Send everybody home: another process takes over."""
        if self._heart is not None:
            self._heart.cancel()
        if self._server is not None:
            await self._send_home()
            for line in self._lines():
                line.end()
            self._server.close(code=closing.RESTARTING, reason="reconnect in a moment")
            await self._server.wait_closed()

    def _sockets(self) -> list[Socket]:
        """Return the sockets of the clients who are here."""
        found = self._server.all_connections if self._server else ()
        return [one for one in found if isinstance(one, Socket) and one.raw is None]

    def _lines(self) -> list[Incoming]:
        """Return the links from other processes."""
        found = self._server.all_connections if self._server else ()
        raws = [one.raw for one in found if isinstance(one, Socket)]
        return [raw for raw in raws if isinstance(raw, Incoming)]

    async def _send_home(self) -> None:
        """Not all in the same moment: they will all knock somewhere else."""
        everybody: list[Endpoint] = [socket for socket in self._sockets() if socket.is_open]
        for line in self._lines():
            everybody.extend(line.sockets.values())
        random.shuffle(everybody)
        for socket in everybody:
            socket.shut(closing.RESTARTING, "reconnect in a moment")
            await asyncio.sleep(self._settings.drain_spread_s / len(everybody))

    async def _beat(self) -> None:
        """Ask everybody for a sign of life, and let go of who gave none."""
        while self._server is not None:
            await asyncio.sleep(self._settings.heartbeat_s)
            for socket in self._sockets():
                socket.check_alive()

    def _knock(self, connection: ServerConnection, request: Request) -> Response | None:
        """Refuse, before there is a socket, what does not come through the gateway properly."""
        secret = self._settings.fleet_secret
        given = request.headers.get("x-fleet-secret", "").encode()
        if not hmac.compare_digest(given, secret.encode()):
            return connection.respond(HTTPStatus.UNAUTHORIZED, "Say who you are.\n")
        if self._watch.is_draining:
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "Try again.\n")
        word = request.headers.get(words.HEADER)
        if request.path == PATH or word is not None:
            if words.read(word or "", secret) is None:
                return connection.respond(HTTPStatus.UNAUTHORIZED, "Say who you are.\n")
            if request.path == PATH and isinstance(connection, Socket):
                connection.raw = self._line(connection)
                return None
        return self._knock_of_client(connection, request)

    def _line(self, connection: Socket) -> Incoming:
        """Let another process's clients be served over a connection."""
        transport = connection.transport
        return Incoming(self._settings, self._limits, transport, self._receive_far)

    def _knock_of_client(self, connection: ServerConnection, request: Request) -> Response | None:
        origin = request.headers.get("origin")
        if origin is not None and origin not in self._origins:
            return connection.respond(HTTPStatus.FORBIDDEN, "This origin is not allowed.\n")
        wanted = target.parse(request.path)
        if wanted is None or not isinstance(connection, Socket):
            return connection.respond(HTTPStatus.NOT_FOUND, "There is no such thing.\n")
        connection.prepare(wanted, self._limits)
        is_known = wanted.ticket or wanted.access_token
        # who has not said yet who they are says nothing long
        if wanted.path is None or not is_known:
            connection.protocol.max_message_size = self._settings.room_frame_bytes_max
        return None

    async def _handle(self, connection: ServerConnection) -> None:
        if not isinstance(connection, Socket):
            return
        if isinstance(connection.raw, Incoming):
            await connection.wait_closed()
            await connection.raw.ended()
        else:
            await self._reception.receive(connection)

    async def _receive_far(self, socket: FarSocket, identity: Identity) -> None:
        if self._watch.is_draining:
            socket.shut(closing.RESTARTING, "reconnect in a moment")
        else:
            await self._reception.receive_far(socket, identity)
