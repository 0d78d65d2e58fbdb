"""Where what is asked about a project's documents and room is answered: here, or by its owner."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import msgspec
import structlog

from collab.documents.holds import Holds
from collab.documents.library import Library
from collab.leases.leases import Leases
from collab.leases.schema import Owner
from collab.peers import node_peer
from collab.settings import Settings
from common.errors import UnavailableError
from common.outgoing import Peer

log = structlog.get_logger()

_ATTEMPTS = 3


def was_refused(exc: BaseException | None) -> bool:
    """Whether the machine said that nobody listens there: then whoever did is dead."""
    seen: set[int] = set()
    while exc is not None and id(exc) not in seen:
        if isinstance(exc, ConnectionRefusedError):
            return True
        seen.add(id(exc))
        exc = exc.__cause__ or exc.__context__
    return False


class Desk:
    """This process's documents, and the way to those of the others."""

    def __init__(self, settings: Settings, leases: Leases, library: Library, holds: Holds) -> None:
        self.leases = leases
        self.library = library
        self.holds = holds
        self._settings = settings
        self._peers: dict[tuple[str, int], Peer] = {}

    async def ask[T](
        self,
        project_id: UUID,
        call: str,
        asked: msgspec.Struct,
        into: type[T],
        here: Callable[[], Awaitable[T]],
    ) -> T:
        """Answer with ``here`` if the project is this process's, or becomes it; else ask its owner.

        Raises what ``here`` does, ``NotFoundError`` and ``UnavailableError``.
        """
        path = f"/internal/projects/{project_id}/documents/{call}"
        owner = await self.leases.claim(project_id)
        for _ in range(_ATTEMPTS):
            if not isinstance(owner, Owner):
                return await here()
            try:
                return await self.peer(owner).post(path, asked, into)
            except UnavailableError as exc:
                if not was_refused(exc):
                    raise
                log.warning("owner_is_dead", project_id=project_id, node_id=owner.id)
                owner = await self.leases.claim(project_id, broken_epoch=owner.epoch)
        raise UnavailableError

    def peer(self, owner: Owner) -> Peer:
        """Return the connection to another process."""
        where = owner.host, owner.http_port
        if where not in self._peers:
            self._peers[where] = node_peer(self._settings, *where)
        return self._peers[where]

    async def close(self) -> None:
        """Close the connections to the others."""
        for peer in self._peers.values():
            await peer.close()
