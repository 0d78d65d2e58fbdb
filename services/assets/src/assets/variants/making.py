"""How a file is made out of another one: fetched, worked on in the studio, stored, remembered."""

import asyncio
import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from assets.blobs import service as blobs
from assets.errors import CollectedError
from assets.means import Means
from assets.studio import benches
from assets.studio import service as studio
from assets.studio.messages import Medium, Work
from assets.types import BUCKET, object_key
from assets.variants import repository
from assets.variants.types import Made, Source
from common.errors import PayloadTooLargeError


async def made(
    means: Means,
    source: Source,
    medium: Medium,
    work: Work,
    name: str,
    options: dict[str, Any],
) -> Made:
    """Return what is made of the source in the way called ``name``; it is made once.

    Raises what the studio does, ``NotFoundError`` where the source is gone, ``CollectedError``
    where it went meanwhile, ``QuotaExceededError`` where the library has no room for it.
    """
    found = await repository.find(means.db, source, name)
    if found is not None:
        return found

    async def make() -> Made:
        return await _made(means, source, medium, work, name, options)

    new: Made = await means.once.do((source.project_id, source.sha256, name), make)
    return new


async def _made(
    means: Means,
    source: Source,
    medium: Medium,
    work: Work,
    name: str,
    options: dict[str, Any],
) -> Made:
    async with benches.bench() as place:
        await _fetch(means, source, place.source)
        answer = await studio.perform(means, medium, work, source.mime_type, place, options)
        facts = {k: v for k, v in answer.facts.items() if v is not None}
        mime_type = facts.pop("mimeType")
        sha256, size = await asyncio.to_thread(_hashed, place.target)
        with await asyncio.to_thread(place.target.open, "rb") as file:
            generation = await blobs.put(
                means,
                source.project_id,
                file,
                sha256=sha256,
                size=size,
                content_type=mime_type,
            )
    new = Made(name, sha256, size, mime_type, facts, datetime.now(UTC))
    if await repository.add(means.db, source, new, generation):
        return new
    found = await repository.find(means.db, source, name)
    if found is None:
        raise CollectedError
    return found


def refuse_large(means: Means, size: int) -> None:
    """Raise ``PayloadTooLargeError`` for what is not brought here: the store alone has it."""
    limit = means.settings.asset_bytes_max
    if size > limit:
        raise PayloadTooLargeError("The file is too large for this.", {"field": "", "limit": limit})


async def _fetch(means: Means, source: Source, to: Path) -> None:
    key = object_key(source.project_id, source.sha256)
    refuse_large(means, (await means.storage.head(BUCKET, key)).size)
    _, pieces = await means.storage.stream(BUCKET, key)
    with await asyncio.to_thread(to.open, "wb") as file:
        async for piece in pieces:
            await asyncio.to_thread(file.write, piece)


def _hashed(path: Path) -> tuple[str, int]:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size
