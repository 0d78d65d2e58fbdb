"""The services that this one asks: projects for access and files, auth for who somebody is."""

from urllib.parse import quote
from uuid import UUID

from litestar import Litestar

from collab.settings import Settings
from common.access import Access
from common.errors import NotFoundError
from common.outgoing import Peer

_NAME = "collab"


class Projects:
    """The connection to the projects service."""

    def __init__(self, settings: Settings) -> None:
        self._peer = _peer(settings, settings.projects_url)

    async def open(self, app: Litestar) -> None:
        """Nothing to start."""

    async def close(self) -> None:
        """Close the connections."""
        await self._peer.close()

    async def access(self, project_id: UUID) -> Access | None:
        """Ask who may do what with a project that was never heard of."""
        try:
            return await self._peer.get(f"/internal/projects/{project_id}/access", Access)
        except NotFoundError:
            return None

    async def file(self, project_id: UUID, path: str) -> bytes:
        """Read a file as it is now; raises ``NotFoundError`` and ``UnavailableError``."""
        return await self._peer.read(f"/internal/projects/{project_id}/files/{quote(path)}")


def auth_peer(settings: Settings) -> Peer:
    """Return a connection to the auth service."""
    return _peer(settings, settings.auth_url)


def _peer(settings: Settings, url: str) -> Peer:
    return Peer(url, settings.fleet_secret, timeout_s=settings.outgoing_timeout_s, caller=_NAME)
