"""The services that this one asks: projects for sources and rights, assets for assets."""

from typing import Any
from uuid import UUID

import httpx
import msgspec
import structlog
from litestar import Litestar

from builds.pipeline.cache import Cache
from builds.settings import Settings
from builds.types import Asset, File, Manifest
from common.access import Access
from common.errors import NotFoundError, UnavailableError
from common.outgoing import Peer

log = structlog.get_logger()

_GONE = (httpx.codes.NOT_FOUND, httpx.codes.FORBIDDEN)


class _Pin(msgspec.Struct, frozen=True, rename="camel"):
    seq: int
    tree_hash: str
    files: list[File]


class _Supplies(msgspec.Struct, frozen=True):
    assets: list[Asset]


class _Supplied(msgspec.Struct, frozen=True):
    url: str


class _Blobs(msgspec.Struct, frozen=True):
    blobs: dict[str, bytes]


class Peers:
    """Connections to the other services, as long as this one lives."""

    def __init__(self, settings: Settings, *, timeout_s: float) -> None:
        secret = settings.fleet_secret
        self._projects = Peer(settings.projects_url, secret, timeout_s=timeout_s, caller="builds")
        self._assets = Peer(settings.assets_url, secret, timeout_s=timeout_s, caller="builds")
        self._store = httpx.AsyncClient(timeout=timeout_s)

    async def open(self, app: Litestar) -> None:
        """Nothing to start."""

    async def close(self) -> None:
        """Close the connections."""
        await self._projects.close()
        await self._assets.close()
        await self._store.aclose()

    async def access(self, project_id: UUID) -> Access | None:
        """Ask who may do what with a project that was never heard of."""
        try:
            return await self._projects.get(f"/internal/projects/{project_id}/access", Access)
        except NotFoundError:
            return None

    async def pin(self, project_id: UUID, at: int | None) -> tuple[str, Manifest]:
        """Return the hash of the project's tree, and its files: as of ``at``, or as of now."""
        path = f"/internal/projects/{project_id}"
        if at is None:
            found = await self._projects.post(f"{path}/pin", {}, _Pin)
        else:
            found = await self._projects.get(f"{path}/tree", _Pin, seq=at)
        return found.tree_hash, Manifest(found.seq, found.files, [])

    async def assets(self, project_id: UUID) -> list[Asset]:
        """Return the project's assets as they are now, each with an address to read it at."""
        path = f"/internal/projects/{project_id}/assets"
        return (await self._assets.get(path, _Supplies)).assets

    async def address(self, project_id: UUID, sha256: str) -> str:
        """Return where an asset's content is read, of whatever version; ``NotFoundError``."""
        path = f"/internal/projects/{project_id}/assets/{sha256}"
        return (await self._assets.get(path, _Supplied)).url

    async def blobs(self, project_id: UUID, hashes: list[str]) -> dict[str, bytes]:
        """Return the contents of files by their hashes."""
        wanted: dict[str, Any] = {"projectId": project_id, "hashes": hashes}
        return (await self._projects.post("/internal/blobs", wanted, _Blobs)).blobs

    async def download(self, asset: Asset, cache: Cache) -> None:
        """Bring an asset from the store into the cache."""
        try:
            async with self._store.stream("GET", asset.url) as answer:
                if answer.status_code in _GONE:
                    raise NotFoundError("The asset is not there any more.")
                if answer.is_error:
                    # the address is signed: no error that names it
                    log.warning("asset_not_sent", status=answer.status_code)
                    raise UnavailableError
                with cache.writing(asset.sha256) as file:
                    async for piece in answer.aiter_bytes():
                        file.write(piece)
        except httpx.HTTPError as exc:
            raise UnavailableError from exc
