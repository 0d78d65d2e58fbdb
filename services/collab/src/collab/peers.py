"""The services that this one asks: projects for access and files, auth for who somebody is."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import httpx
import msgspec
from litestar import Litestar

from collab.documents.types import LiveFile, Written
from collab.settings import Settings
from common.access import Access
from common.errors import NotFoundError, UnavailableError
from common.outgoing import Peer

_NAME = "collab"


class UnsentError(UnavailableError):
    """Nobody was there to be asked: nothing can have come of it."""


class _Looked(msgspec.Struct, frozen=True):
    files: list[LiveFile]


class _Closed(msgspec.Struct, frozen=True):
    closed: int


class Projects:
    """The connection to the projects service. Whatever it asks may raise ``UnavailableError``."""

    def __init__(self, settings: Settings) -> None:
        self._peer = _peer(settings, settings.projects_url)
        # what was typed at once may be more than a document may have before that
        self._bytes_max = 2 * settings.document_bytes_max

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

    async def open_file(self, project_id: UUID, path: str, epoch: int) -> LiveFile:
        """Say that a file is live from now on, and read it.

        Raises ``NotFoundError`` where there is no such file, or none that can be edited live.
        """
        asked = {"path": path, "epoch": epoch, "known": None, "bytesMax": self._bytes_max}
        return await self._live(project_id, "open", asked, LiveFile)

    async def look(self, project_id: UUID, known: Mapping[UUID, str | None]) -> list[LiveFile]:
        """Read what files are now; the content of those whose hash is another than is known."""
        asked = {"files": [{"fileId": f, "known": digest} for f, digest in known.items()]}
        try:
            return (await self._live(project_id, "look", asked, _Looked)).files
        except NotFoundError:
            return [LiveFile(file_id) for file_id in known]

    async def write(
        self,
        project_id: UUID,
        file_id: UUID,
        epoch: int,
        seq: int,
        *,
        expected: str,
        content: str,
        actors: list[str],
    ) -> Written:
        """Let a file be what was typed, if it still is what is expected."""
        asked = {
            "fileId": file_id,
            "epoch": epoch,
            "seq": seq,
            "expected": expected,
            "content": content,
            "actors": actors,
        }
        try:
            return await self._live(project_id, "write", asked, Written)
        except NotFoundError:
            return Written("gone")

    async def close_files(self, project_id: UUID, file_ids: list[UUID], epoch: int) -> None:
        """Say that files are not live any more: they have everything."""
        asked = {"fileIds": file_ids, "epoch": epoch}
        try:
            await self._live(project_id, "close", asked, _Closed)
        except NotFoundError:
            # the project is no more
            return

    async def _live[T](self, project_id: UUID, call: str, asked: Any, into: type[T]) -> T:  # noqa: ANN401 - any body
        path = f"/internal/projects/{project_id}/live/{call}"
        try:
            return await self._peer.post(path, asked, into)
        except UnavailableError as exc:
            if isinstance(exc.__cause__, httpx.ConnectError):
                raise UnsentError from exc
            raise


def auth_peer(settings: Settings) -> Peer:
    """Return a connection to the auth service."""
    return _peer(settings, settings.auth_url)


def node_peer(settings: Settings, host: str, port: int) -> Peer:
    """Return a connection to another process of this service."""
    return _peer(settings, f"http://{host}:{port}")


def _peer(settings: Settings, url: str) -> Peer:
    return Peer(url, settings.fleet_secret, timeout_s=settings.outgoing_timeout_s, caller=_NAME)
