"""Who comes in, and who serves them: this process, or the one that has the project."""

from collections.abc import Awaitable, Callable

import structlog

from collab.errors import RateLimitedError
from collab.identity.service import Doorman, LateError
from collab.identity.types import Identity
from collab.leases.leases import Leases
from collab.leases.schema import Owner
from collab.links.links import Links
from collab.settings import Settings
from collab.sockets import closing
from collab.sockets.connection import Socket
from collab.sockets.endpoint import Endpoint
from collab.sockets.gate import Gate, Member
from collab.sockets.session import Session
from common.errors import ForbiddenError, NotFoundError, ServiceError, UnauthenticatedError

log = structlog.get_logger()

type Serve = Callable[[Member, Session], Awaitable[None]]

_CODES: dict[type[ServiceError], int] = {
    UnauthenticatedError: closing.UNAUTHENTICATED,
    ForbiddenError: closing.FORBIDDEN,
    NotFoundError: closing.NOT_FOUND,
    RateLimitedError: closing.TOO_MANY,
}


class Reception:
    """Where every socket of this process is received, and of others for what is here."""

    def __init__(
        self,
        settings: Settings,
        doorman: Doorman,
        gate: Gate,
        leases: Leases,
        links: Links,
        serve_member: Serve,
    ) -> None:
        self._settings = settings
        self._doorman = doorman
        self._gate = gate
        self._leases = leases
        self._links = links
        self._serve = serve_member

    async def receive(self, socket: Socket) -> None:
        """Serve a client who is at this process, until the socket has ended."""
        await self._tell_why(socket, self._receive(socket))

    async def receive_far(self, socket: Endpoint, identity: Identity) -> None:
        """Serve a client who is at another process, and was identified there."""
        await self._tell_why(socket, self._receive_far(socket, identity))

    @staticmethod
    async def _tell_why(socket: Endpoint, work: Awaitable[None]) -> None:
        try:
            await work
        except LateError:
            socket.shut(closing.TOO_LATE, "no credentials came in time")
        except ServiceError as exc:
            code = next((c for e, c in _CODES.items() if isinstance(exc, e)), closing.OVERLOADED)
            socket.shut(code, str(exc))
        except (OSError, TimeoutError):
            socket.shut(closing.OVERLOADED, "not available now")
        except Exception:
            log.exception("socket_failed")
            socket.shut(closing.OUR_FAULT, "something went wrong")
        await socket.wait_closed()

    async def _receive(self, socket: Socket) -> None:
        with self._gate.arrival() as ended:
            identity = await self._doorman.identify(socket)
            if socket.target.path is not None:
                socket.protocol.max_message_size = self._settings.document_frame_bytes_max
            member = await self._gate.admit(socket, identity, ended)
        owner = await self._owner(member)
        if owner is None:
            await self._serve_here(member)
        else:
            await self._elsewhere(socket, identity, owner)

    async def _receive_far(self, socket: Endpoint, identity: Identity) -> None:
        with self._gate.arrival() as ended:
            member = await self._gate.admit(socket, identity, ended)
        if await self._owner(member) is None:
            await self._serve_here(member)
        else:
            # passed on to here, and the project has moved on since
            socket.shut(closing.RESTARTING, "the project is open elsewhere")

    async def _owner(self, member: Member) -> Owner | None:
        """Return which other process has the member's project; it watches over them then."""
        try:
            owner = await self._leases.claim(member.socket.target.project_id)
        except BaseException:
            self._gate.leave(member)
            raise
        if not isinstance(owner, Owner):
            return None
        self._gate.leave(member)
        return owner

    async def _serve_here(self, member: Member) -> None:
        session = Session(member, self._doorman, self._gate)
        try:
            await self._serve(member, session)
        finally:
            session.end()
            self._gate.leave(member)

    async def _elsewhere(self, socket: Socket, identity: Identity, owner: Owner) -> None:
        """Let the process serve that has the project; one that is dead has it no more."""
        try:
            await self._links.pass_on(socket, identity, owner)
        except ConnectionRefusedError:
            project_id = socket.target.project_id
            await self._leases.claim(project_id, broken_epoch=owner.epoch)
            socket.shut(closing.RESTARTING, "reconnect in a moment")
        except (OSError, TimeoutError):
            socket.shut(closing.RESTARTING, "reconnect in a moment")
