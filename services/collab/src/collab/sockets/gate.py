"""Who may be on which socket, now: by role when they come, and again whenever roles change."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import ceil
from uuid import UUID

from collab.errors import RateLimitedError
from collab.identity.service import OVER
from collab.identity.types import Identity
from collab.settings import Settings
from collab.sockets import closing, repository
from collab.sockets.endpoint import Endpoint
from common.access import Access, Ask, learn, role_on
from common.database import Database
from common.errors import NotFoundError, UnauthenticatedError, UnavailableError

WRITERS = frozenset({"owner", "editor"})
_GONE = "the project is gone"


class Member:
    """Somebody on a socket, with the role that holds at this moment."""

    __slots__ = ("identity", "is_member", "on_role", "role", "socket", "user_id")

    def __init__(self, socket: Endpoint, identity: Identity, role: str) -> None:
        self.socket = socket
        self.identity = identity
        # the user, as frames name them
        self.user_id = str(identity.user_id)
        self.role = role
        # who only reads what is public is nobody's member
        self.is_member = False
        self.on_role: Callable[[str], None] | None = None

    @property
    def may_write(self) -> bool:
        """Whether this member may change a document."""
        return self.role in WRITERS


class Gate:
    """Every admitted socket, by project."""

    def __init__(self, db: Database, ask: Ask, settings: Settings) -> None:
        self._db = db
        self._ask = ask
        self._settings = settings
        self._members: defaultdict[UUID, set[Member]] = defaultdict(set)
        self._changes = 0
        self._arrivals: dict[int, set[str]] = {}

    @contextmanager
    def arrival(self) -> Iterator[set[str]]:
        """Collect the sessions that end while somebody proves to be in one.

        Whose session ends between the proof and its use would be missed.
        """
        ended: set[str] = set()
        self._arrivals[id(ended)] = ended
        try:
            yield ended
        finally:
            del self._arrivals[id(ended)]

    async def admit(self, socket: Endpoint, identity: Identity, ended: set[str]) -> Member:
        """Let the user in with their role; raises ``NotFoundError`` for who may not know of it.

        A change of roles that comes while the role is read would be missed, so it is read again.
        Raises ``UnauthenticatedError`` for whose session has ended on the way, and for a room
        ``RateLimitedError`` or ``UnavailableError`` where there are as many as there may be.
        """
        project_id = socket.target.project_id
        while True:
            changes = self._changes
            role = await self._role(project_id, identity.user_id)
            access = await repository.newest(self._db, project_id)
            is_member = access is not None and str(identity.user_id) in access.roles
            if identity.session_id in ended:
                raise UnauthenticatedError(OVER)
            if changes == self._changes:
                if socket.target.path is None:
                    self._check_room(project_id, identity.user_id)
                member = Member(socket, identity, role)
                member.is_member = is_member
                self._members[project_id].add(member)
                return member

    def _check_room(self, project_id: UUID, user_id: UUID) -> None:
        """Refuse one more socket where a room, or one user in it, has enough."""
        guests = [m for m in self._members.get(project_id, ()) if m.socket.target.path is None]
        if len(guests) >= self._settings.room_sockets_max:
            raise UnavailableError("the room is full")
        limit = self._settings.room_tabs_max
        if sum(m.identity.user_id == user_id for m in guests) >= limit:
            wait_s = ceil(self._settings.heartbeat_s)
            raise RateLimitedError(f"retry-after={wait_s}", limit=limit, wait_s=wait_s)

    async def _role(self, project_id: UUID, user_id: UUID) -> str:
        """Return the user's role; who was let in just now may be here before the news of it."""
        try:
            return await role_on(self._db, self._ask, project_id, user_id)
        except NotFoundError:
            access = await self._ask(project_id)
            if access is None:
                raise
            await learn(self._db, access)
            return await role_on(self._db, self._ask, project_id, user_id)

    def leave(self, member: Member) -> None:
        """Forget a member whose socket has ended."""
        project_id = member.socket.target.project_id
        members = self._members[project_id]
        members.discard(member)
        if not members:
            del self._members[project_id]

    async def changed(self, project_id: UUID) -> None:
        """Look at every socket of the project again, by the newest that is known.

        That may be newer than the event that told of a change.
        """
        self._changes += 1
        access = await repository.newest(self._db, project_id)
        if access is not None:
            self._look(access)

    def _look(self, access: Access) -> None:
        for member in tuple(self._members.get(access.resource_id, ())):
            fallback = "viewer" if access.is_public else None
            role = access.roles.get(member.user_id, fallback)
            member.is_member = member.user_id in access.roles
            if access.is_deleted:
                member.socket.shut(closing.NOT_FOUND, _GONE)
            elif role is None:
                member.socket.shut(closing.FORBIDDEN, "access was taken away")
            elif role != member.role:
                member.role = role
                if member.on_role is not None:
                    member.on_role(role)

    def is_empty(self, project_id: UUID) -> bool:
        """Whether nobody is on a socket of the project."""
        return project_id not in self._members

    def projects(self) -> set[UUID]:
        """Return of which projects somebody is here."""
        return set(self._members)

    def sessions(self) -> set[tuple[UUID, str]]:
        """Return who is here, in which sessions."""
        everybody = (m.identity for members in self._members.values() for m in members)
        return {(identity.user_id, identity.session_id) for identity in everybody}

    def gone(self, project_id: UUID) -> None:
        """Close every socket of a project that is no more."""
        for member in tuple(self._members.get(project_id, ())):
            member.socket.shut(closing.NOT_FOUND, _GONE)

    def close_project(self, project_id: UUID) -> None:
        """Send everybody of a project to the process that has it now."""
        for member in tuple(self._members.get(project_id, ())):
            member.socket.shut(closing.RESTARTING, "the project is open elsewhere")

    def end_session(self, user_id: UUID, session_id: str) -> None:
        """Close the sockets of a session that ended."""
        for ended in self._arrivals.values():
            ended.add(session_id)
        for members in tuple(self._members.values()):
            for member in tuple(members):
                identity = member.identity
                if identity.user_id == user_id and identity.session_id == session_id:
                    member.socket.shut(closing.UNAUTHENTICATED, "the session ended")
