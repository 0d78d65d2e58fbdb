"""The first step: the project's files and assets, each only once for this worker."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Protocol
from uuid import UUID

import msgspec
import structlog

from builds import steps
from builds.pipeline import verdicts
from builds.pipeline.cache import Cache
from builds.pipeline.context import Order, Rooms, Told, Workshop
from builds.settings import Settings
from builds.types import Asset, BuildError, File, Manifest, Variant
from common.errors import NotFoundError, UnavailableError

log = structlog.get_logger()

STEP = steps.FETCH
ASSETS = "assets"


class Origin(Protocol):
    """Where files and assets come from."""

    async def blobs(self, project_id: UUID, hashes: list[str]) -> dict[str, bytes]:
        """Return content by its hash."""

    async def address(self, project_id: UUID, sha256: str) -> str:
        """Return where an asset's content is to be had now."""

    async def download(self, asset: Asset, cache: Cache) -> None:
        """Bring an asset into the cache."""


async def sources(order: Order, shop: Workshop, origin: Origin, rooms: Rooms, told: Told) -> None:
    """Lay out the tree as it was when the build was wanted."""
    await asyncio.to_thread(_refuse_the_unreasonable, order.manifest, shop.settings)
    files = _missing(shop.cache, order.manifest.files)
    assets = [a for a in order.manifest.assets if not shop.cache.has(a.sha256)]
    await asyncio.gather(
        _fetch_files(order, shop, origin, files), fetch_assets(order, shop, origin, assets)
    )
    count = len(order.manifest.files) + len(order.manifest.assets)
    fetched = len(files) + len(assets)
    told.say(STEP, f"{count} files, {fetched} of them fetched, the rest were here.")
    for path in await asyncio.to_thread(_lay_out, order.manifest, shop.cache, rooms.tree):
        told.say(STEP, f"The asset takes the place of the project's own file {path}.")


def _refuse_the_unreasonable(manifest: Manifest, settings: Settings) -> None:
    count = len(manifest.files) + len(manifest.assets)
    size = sum(f.size for f in manifest.files) + sum(a.size for a in manifest.assets)
    if count > settings.files_max or size > settings.source_bytes_max:
        limit = f"{settings.files_max} files and {settings.source_bytes_max} bytes"
        raise BuildError("RESOURCE_LIMIT", f"A build takes at most {limit}.")
    paths = [f.path for f in manifest.files] + [a.name for a in manifest.assets]
    for path in paths:
        if not _is_inside(path):
            raise BuildError("SOURCE_CORRUPT", f"{path!r} is no path inside of a project.")
    placed = _placed(manifest)
    folders = _folders(placed, settings)
    both = next((path for path in placed if path in folders), None)
    if both is not None:
        raise BuildError("SOURCE_CORRUPT", f"{both!r} is a file and a folder.")


def _folders(paths: list[str], settings: Settings) -> set[str]:
    """All that the paths lie in; each is walked up to a folder that is known, and no further."""
    found: set[str] = set()
    for path in paths:
        if path.count("/") >= settings.path_depth_max:
            message = f"A path has at most {settings.path_depth_max} parts, not {path[:100]!r}..."
            raise verdicts.excess("files", message)
        folder = path.rpartition("/")[0]
        while folder and folder not in found:
            found.add(folder)
            if len(found) > settings.folders_max:
                message = f"A build takes at most {settings.folders_max} folders."
                raise verdicts.excess("files", message)
            folder = folder.rpartition("/")[0]
    return found


def _placed(manifest: Manifest) -> list[str]:
    names = [f.path for f in manifest.files] + [f"{ASSETS}/{a.name}" for a in manifest.assets]
    return [str(PurePosixPath(name)) for name in names]


def _is_inside(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return bool(parts) and not path.startswith("/") and ".." not in parts and "\0" not in path


def _missing(cache: Cache, files: list[File]) -> list[File]:
    wanted = {f.hash: f for f in files}
    return [f for f in wanted.values() if not cache.has(f.hash)]


async def _fetch_files(order: Order, shop: Workshop, origin: Origin, files: list[File]) -> None:
    for part in _parts(shop, files):
        hashes = [f.hash for f in part]
        found = await _patiently(shop, partial(origin.blobs, order.project_id, hashes))
        absent = [h for h in hashes if h not in found]
        if absent:
            raise BuildError("SOURCE_UNAVAILABLE", f"{len(absent)} files are gone.")
        await asyncio.to_thread(_keep, shop.cache, found)


def _keep(cache: Cache, found: dict[str, bytes]) -> None:
    for sha256, content in found.items():
        cache.put(sha256, content)


def _parts(shop: Workshop, files: list[File]) -> Iterator[list[File]]:
    """As many files at a time as one call may ask for."""
    part: list[File] = []
    size = 0
    for file in files:
        is_full = len(part) == shop.settings.blobs_per_call_max
        if part and (is_full or size + file.size > shop.settings.blob_bytes_per_call_max):
            yield part
            part, size = [], 0
        part.append(file)
        size += file.size
    if part:
        yield part


async def fetch_assets(order: Order, shop: Workshop, origin: Origin, assets: list[Asset]) -> None:
    """Bring assets into the cache, a few at a time."""
    turns = asyncio.Semaphore(shop.settings.transfers_at_once)

    async def fetch(asset: Asset) -> None:
        async with turns:
            await _patiently(shop, partial(_download, order, shop, origin, asset))

    await asyncio.gather(*[fetch(a) for a in assets])


async def _download(order: Order, shop: Workshop, origin: Origin, asset: Asset) -> None:
    try:
        await origin.download(asset, shop.cache)
    except NotFoundError:
        # a signed URL lasts for a while, and a queue may last longer
        url = await origin.address(order.project_id, asset.sha256)
        await origin.download(msgspec.structs.replace(asset, url=url), shop.cache)


def asset_of(asset: Asset, variant: Variant) -> Asset:
    """A variant in the asset's place."""
    return Asset(asset.name, variant.sha256, variant.size, variant.url)


async def _patiently[T](shop: Workshop, ask: Callable[[], Awaitable[T]]) -> T:
    pause_s = shop.settings.retry_pause_s
    for attempt in range(1, shop.settings.fetch_attempts_max + 1):
        try:
            return await ask()
        except NotFoundError as exc:
            raise BuildError("SOURCE_UNAVAILABLE", "A file of the build is gone.") from exc
        except UnavailableError as exc:
            log.warning("fetch_waits", attempt=attempt, error=repr(exc.__cause__ or exc))
            if attempt == shop.settings.fetch_attempts_max:
                raise BuildError(
                    "SOURCE_UNAVAILABLE", "The project's files cannot be had now; try again."
                ) from exc
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 2, shop.settings.retry_pause_s_max)
    raise AssertionError  # the last attempt returned or raised


def _lay_out(manifest: Manifest, cache: Cache, tree: Path) -> list[str]:
    for file in manifest.files:
        cache.place(file.hash, tree / file.path)
    replaced: list[str] = []
    for asset in manifest.assets:
        path = f"{ASSETS}/{asset.name}"
        if (tree / path).exists() and not (tree / path).samefile(cache.path(asset.sha256)):
            replaced.append(path)
        cache.place(asset.sha256, tree / path)
    return replaced
