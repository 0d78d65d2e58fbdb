"""The socket port: who may knock, who comes in, and how everybody is sent home at the end."""

import asyncio
import hmac
import logging
import random
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import structlog
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

from collab.errors import RateLimitedError
from collab.identity.service import Doorman, LateError
from collab.identity.types import Identity
from collab.leases.leases import Leases
from collab.leases.schema import Owner
from collab.links import splice
from collab.links.splice import Splices
from collab.settings import Settings
from collab.sockets import closing, target
from collab.sockets.connection import Limits, Socket
from collab.sockets.gate import Gate, Member
from collab.sockets.session import Session
from common.errors import ForbiddenError, NotFoundError, ServiceError, UnauthenticatedError
from common.health import Watch

log = structlog.get_logger()

type Serve = Callable[[Member, Session], Awaitable[None]]

_CODES: dict[type[ServiceError], int] = {
    UnauthenticatedError: closing.UNAUTHENTICATED,
    ForbiddenError: closing.FORBIDDEN,
    NotFoundError: closing.NOT_FOUND,
    RateLimitedError: closing.TOO_MANY,
}


class Listener:
    """The WebSocket server of this process."""

    def __init__(
        self,
        settings: Settings,
        watch: Watch,
        doorman: Doorman,
        gate: Gate,
        leases: Leases,
        splices: Splices,
        serve_member: Serve,
    ) -> None:
        self._settings = settings
        self._leases = leases
        self._splices = splices
        self._watch = watch
        self._doorman = doorman
        self._gate = gate
        self._serve = serve_member
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
            self._server.close(code=closing.RESTARTING, reason="reconnect in a moment")
            await self._server.wait_closed()

    async def _send_home(self) -> None:
        """Not all in the same moment: they will all knock somewhere else."""
        everybody = (
            [c for c in self._server.connections if isinstance(c, Socket)] if self._server else []
        )
        random.shuffle(everybody)
        for socket in everybody:
            socket.shut(closing.RESTARTING, "reconnect in a moment")
            await asyncio.sleep(self._settings.drain_spread_s / len(everybody))

    async def _beat(self) -> None:
        """Ask everybody for a sign of life, and let go of who gave none."""
        while self._server is not None:
            await asyncio.sleep(self._settings.heartbeat_s)
            for connection in tuple(self._server.all_connections):
                if isinstance(connection, Socket):
                    connection.check_alive()

    def _knock(self, connection: ServerConnection, request: Request) -> Response | None:
        """Refuse, before there is a socket, what does not come through the gateway properly."""
        given = request.headers.get("x-fleet-secret", "").encode()
        if not hmac.compare_digest(given, self._settings.fleet_secret.encode()):
            return connection.respond(HTTPStatus.UNAUTHORIZED, "Say who you are.\n")
        if self._watch.is_draining:
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "Try again.\n")
        origin = request.headers.get("origin")
        if origin is not None and origin not in self._origins:
            return connection.respond(HTTPStatus.FORBIDDEN, "This origin is not allowed.\n")
        wanted = target.parse(request.path)
        if wanted is None or not isinstance(connection, Socket):
            return connection.respond(HTTPStatus.NOT_FOUND, "There is no such thing.\n")
        connection.target = wanted
        connection.limits = self._limits
        word = request.headers.get(splice.HEADER)
        if word is not None:
            connection.identity = splice.read(word, self._settings.fleet_secret)
            if connection.identity is None:
                return connection.respond(HTTPStatus.UNAUTHORIZED, "Say who you are.\n")
        is_known = wanted.ticket or wanted.access_token or connection.identity
        # who has not said yet who they are says nothing long
        if wanted.path is None or not is_known:
            connection.protocol.max_message_size = self._settings.room_frame_bytes_max
        return None

    async def _handle(self, connection: ServerConnection) -> None:
        if not isinstance(connection, Socket):
            return
        try:
            await self._admit(connection)
        except LateError:
            connection.shut(closing.TOO_LATE, "no credentials came in time")
        except ServiceError as exc:
            code = next((c for e, c in _CODES.items() if isinstance(exc, e)), closing.OVERLOADED)
            connection.shut(code, str(exc))
        except (OSError, TimeoutError):
            connection.shut(closing.OVERLOADED, "not available now")
        except Exception:
            log.exception("socket_failed")
            connection.shut(closing.OUR_FAULT, "something went wrong")
        await connection.wait_closed()

    async def _admit(self, socket: Socket) -> None:
        with self._gate.arrival() as ended:
            identity = socket.identity or await self._doorman.identify(socket)
            if socket.target.path is not None:
                socket.protocol.max_message_size = self._settings.document_frame_bytes_max
            member = await self._gate.admit(socket, identity, ended)
        try:
            owner = await self._leases.claim(socket.target.project_id)
        except BaseException:
            self._gate.leave(member)
            raise
        if isinstance(owner, Owner):
            # who may be here is the owner's to watch over from now on
            self._gate.leave(member)
            await self._elsewhere(socket, identity, owner)
            return
        session = Session(member, self._doorman, self._gate)
        try:
            await self._serve(member, session)
        finally:
            session.end()
            self._gate.leave(member)

    async def _elsewhere(self, socket: Socket, identity: Identity, owner: Owner) -> None:
        """Let the process serve that has the project; one that is dead has it no more."""
        if socket.identity is not None:
            # passed on to here, and the project has moved on since
            socket.shut(closing.RESTARTING, "the project is open elsewhere")
            return
        try:
            await self._splices.splice(socket, identity, owner)
        except ConnectionRefusedError:
            project_id = socket.target.project_id
            await self._leases.claim(project_id, broken_epoch=owner.epoch)
            socket.shut(closing.RESTARTING, "reconnect in a moment")
        except (OSError, TimeoutError):
            socket.shut(closing.RESTARTING, "reconnect in a moment")
