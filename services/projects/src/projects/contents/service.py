"""The bytes of files: small ones in rows, large ones in the object store, each once."""

import asyncio
from uuid import UUID

from common.database import Queries
from common.errors import NotFoundError, UnavailableError
from projects.contents import repository
from projects.contents.repository import Blob
from projects.contents.types import BUCKET, key_of
from projects.files.types import Content
from projects.means import Means

_TYPE = "application/octet-stream"
_AT_ONCE = 4


def is_large(means: Means, content: Content) -> bool:
    """Whether the object store has content of that size, and not a row."""
    return content.size > means.settings.inline_bytes_max


async def store(means: Means, content: Content) -> None:
    """Give large content to the object store; what nobody comes to have is swept away later.

    Raises ``UnavailableError`` where the store does not answer.
    """
    # noted first, and by itself: a transaction around this would forget it where it fails
    await repository.loosen(means.aside, content.hash)
    await _put(means, content)


async def _put(means: Means, content: Content) -> None:
    await means.storage.put(
        BUCKET, key_of(content.hash), content.data, content_type=_TYPE, sha256=content.hash
    )


async def deposit(means: Means, contents: list[Content]) -> None:
    """Keep contents, none of them twice, before the transaction in which something has them.

    That one is short then, and nobody who writes the same content waits for it. What nobody comes
    to have is swept away later. Raises ``UnavailableError`` where the store does not answer.
    """
    turns = asyncio.Semaphore(_AT_ONCE)

    async def put(content: Content) -> None:
        async with turns:
            await _put(means, content)

    await repository.loosen_all(means.aside, [content.hash for content in contents])
    await asyncio.gather(*[put(content) for content in contents if is_large(means, content)])
    await repository.keep(means.aside, contents, means.settings.inline_bytes_max)


async def keep(tx: Queries, means: Means, contents: list[Content]) -> None:
    """Keep contents for who comes to have them in this transaction."""
    large = {c.hash: c for c in contents if is_large(means, c)}
    for content in large.values():
        await store(means, content)
    await repository.keep(tx, contents, means.settings.inline_bytes_max)


async def fetch(means: Means, content_hash: str) -> bytes:
    """Return large content."""
    try:
        return await means.storage.get(BUCKET, key_of(content_hash))
    except NotFoundError as exc:
        # a row says that it is there: the store has lost it, or is not the one it was
        raise UnavailableError from exc


async def load(means: Means, project_id: UUID, hashes: list[str]) -> dict[str, bytes]:
    """Return those of the contents that the project has or had, by hash."""
    found = await repository.load(means.db, project_id, hashes)
    turns = asyncio.Semaphore(_AT_ONCE)

    async def whole(blob: Blob) -> bytes:
        if blob.content is not None:
            return blob.content
        async with turns:
            return await fetch(means, blob.hash)

    return dict(zip([b.hash for b in found], await asyncio.gather(*map(whole, found)), strict=True))


async def sweep(means: Means) -> int:
    """Forget a few contents that no project has; return how many were looked at."""
    settings = means.settings
    async with means.db.transaction() as tx:
        loose = await repository.due(tx, settings.loose_s, settings.sweep_contents_max)
        for content_hash in loose:
            await _settle(tx, means, content_hash)
    return len(loose)


async def _settle(tx: Queries, means: Means, content_hash: str) -> None:
    is_stored = await repository.hold(tx, content_hash)
    if is_stored is None:
        # no row speaks of it, and none will: who uploads it anew waits until this has ended
        await means.storage.delete(BUCKET, key_of(content_hash))
    elif await repository.drop(tx, content_hash) and is_stored:
        # the object goes at the next turn, when it is certain that the row has gone
        return
    await repository.tighten(tx, content_hash)
