"""Where files that went to the store unseen are, until they are known to be whole and harmless."""

from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog

from assets.errors import QuotaExceededError
from assets.means import Means
from assets.quarantine import listing, repository
from assets.quarantine.types import Announced
from assets.types import BUCKET, quarantine_key
from assets.uploads import service as uploads
from assets.uploads.service import Candidate
from assets.uploads.spool import Distant, Sieve, Spool
from assets.uploads.types import NewAsset
from common import multipart
from common.caller import Caller
from common.database import Queries
from common.errors import (
    InvalidError,
    NotFoundError,
    PayloadTooLargeError,
    ServiceError,
    UnsupportedMediaTypeError,
)
from common.multipart import Multipart

log = structlog.get_logger()

# what is wrong with a file that is not looked at again: nothing of it stays
HOPELESS = (InvalidError, PayloadTooLargeError, UnsupportedMediaTypeError, QuotaExceededError)


async def admitted(means: Means, caller: Caller, announced: Announced) -> NewAsset:
    """Compare a file with what was said of it, and store it anew; nobody sees it yet.

    It is read once. One that could be changed meanwhile, by a URL that is used twice, is brought
    here: what was verified is what is stored. A large one came in parts, which nobody can replace
    once they are one object; that object the store copies. Raises ``NotFoundError``.
    """
    found, pieces = await means.storage.stream(BUCKET, quarantine_key(announced.id))
    is_large = announced.size > means.settings.asset_bytes_max
    limits = {"memory_bytes": means.settings.spool_bytes_max, "size_max": announced.size}
    sieve = Sieve(**limits) if is_large else Spool(**limits)
    try:
        async with aclosing(pieces):
            async for piece in pieces:
                await sieve.add(piece)
        sha256 = await sieve.finish()
        _compare(announced, sieve.size, sha256)
        candidate = Candidate(
            announced.project_id,
            announced.name,
            announced.content_type,
            announced.kind,
            sha256,
            sieve if isinstance(sieve, Spool) else _distant(announced.id, found.etag, sieve),
        )
        return await uploads.stored(means, caller, candidate)
    finally:
        sieve.close()


def _compare(announced: Announced, size: int, sha256: str) -> None:
    if size != announced.size:
        raise InvalidError.of("size", f"{size} bytes were sent, not {announced.size}.")
    if announced.sha256 not in {None, sha256}:
        raise InvalidError.of("sha256", f"The SHA-256 of what was sent is {sha256}.")


def _distant(upload_id: UUID, etag: str, sieve: Sieve) -> Distant:
    return Distant(quarantine_key(upload_id), etag, sieve.size, sieve.head)


async def demand_room(tx: Queries, means: Means, project_id: UUID, size: int) -> None:
    """Raise ``QuotaExceededError`` where so many more bytes have no place in the project.

    What was begun counts as announced until it is an asset, refused, ended or swept. Nobody else
    begins anything there until the transaction is over.
    """
    settings = means.settings
    found = await repository.room(tx, project_id)
    if found.waiting >= settings.uploads_waiting_max:
        raise QuotaExceededError(
            "Too many uploads of the project are unfinished.",
            limit=settings.uploads_waiting_max,
            used=found.waiting,
        )
    used = found.library_bytes + found.waiting_bytes
    if used + size > settings.library_bytes_max:
        raise QuotaExceededError(
            "The project's library would hold more than it may.",
            limit=settings.library_bytes_max,
            used=used,
        )


async def begun(means: Means, upload_id: UUID) -> Multipart:
    """Begin a file that comes in parts."""
    key = quarantine_key(upload_id)
    return await multipart.begin(
        means.storage, BUCKET, key, content_type="application/octet-stream"
    )


def of(means: Means, upload_id: UUID, multipart_id: str) -> Multipart:
    """A file that comes in parts."""
    return Multipart(means.storage, BUCKET, quarantine_key(upload_id), multipart_id)


async def empty(means: Means, upload_id: UUID, multipart_id: str | None) -> None:
    """Remove what there is of an upload; raises ``UnavailableError``."""
    key = quarantine_key(upload_id)
    if multipart_id is None:
        await means.storage.delete(BUCKET, key)
        return
    await _abort(of(means, upload_id, multipart_id))
    async for page in listing.pages(means, key):
        for found in page:
            await means.storage.delete(BUCKET, found)


async def try_to_empty(means: Means, upload_id: UUID, multipart_id: str | None) -> None:
    """Remove what there is of an upload, or leave it to the sweep."""
    try:
        await empty(means, upload_id, multipart_id)
    except ServiceError as exc:
        log.warning("quarantine_not_cleared", upload=str(upload_id), error=repr(exc))


@asynccontextmanager
async def unless_begun(
    means: Means, upload_id: UUID, multipart_id: str | None
) -> AsyncGenerator[None]:
    """Where an upload cannot be begun after all, leave nothing of it in the store."""
    try:
        yield
    except ServiceError:
        if multipart_id is not None:
            await try_to_empty(means, upload_id, multipart_id)
        raise


async def sweep_strays(means: Means, *, before: datetime | None = None) -> int:
    """Abort what was begun in the store ``before`` and belongs to no upload; return how many.

    The store is told first and the row is written then: who dies between leaves such a one.
    """
    settings = means.settings
    lifetime = timedelta(seconds=settings.upload_lifetime_s + settings.upload_grace_s)
    until = before or datetime.now(UTC) - lifetime
    old = {
        made.id: made
        async for made, begun_at in multipart.unfinished(means.storage, BUCKET)
        if begun_at < until
    }
    known = await repository.known(means.db, old.keys()) if old else set()
    strays = [made for name, made in old.items() if name not in known]
    for made in strays:
        await _abort(made)
    return len(strays)


async def _abort(made: Multipart) -> None:
    try:
        await made.abort()
    except NotFoundError:
        log.debug("nothing_to_abort", key=made.key)
