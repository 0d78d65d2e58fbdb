"""The service that this one asks: projects, for who may do what, and what its texts name."""

from uuid import UUID

from litestar import Litestar

from assets.references.types import Mentions
from assets.settings import Settings
from common.access import Access
from common.errors import NotFoundError
from common.outgoing import Peer


class Projects:
    """The connection to the projects service, as long as this one lives."""

    def __init__(self, settings: Settings) -> None:
        self._peer = Peer(
            settings.projects_url,
            settings.fleet_secret,
            timeout_s=settings.outgoing_timeout_s,
            caller="assets",
        )
        # to look through texts takes longer than to look something up
        self._reader = Peer(
            settings.projects_url,
            settings.fleet_secret,
            timeout_s=settings.search_timeout_s,
            caller="assets",
        )

    async def open(self, app: Litestar) -> None:
        """Nothing to start."""

    async def close(self) -> None:
        """Close the connections."""
        await self._peer.close()
        await self._reader.close()

    async def access(self, project_id: UUID) -> Access | None:
        """Ask who may do what with a project that was never heard of."""
        try:
            return await self._peer.get(f"/internal/projects/{project_id}/access", Access)
        except NotFoundError:
            return None

    async def mentions(
        self, project_id: UUID, needles: list[str], *, after: str | None, ever_before: bool
    ) -> Mentions:
        """Ask for places where the project's texts name one of the needles, after a cursor.

        Raises ``NotFoundError`` where there is no such project, and ``UnavailableError``.
        """
        body = {"needles": needles, "after": after, "everBefore": ever_before}
        return await self._reader.post(f"/internal/projects/{project_id}/mentions", body, Mentions)
