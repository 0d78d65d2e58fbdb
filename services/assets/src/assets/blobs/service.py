"""The bytes of projects: claimed, then put; and gone when nothing has needed them for a while.

Who puts an object claims its blob first, each time, and puts it whether or not it was there. What
then refers to the blob keeps it. Before that it may be collected, and even be claimed anew by
somebody else: so what refers to it asks for the generation that was claimed (``still_held``), and
where that is gone (``CollectedError``) all begins anew.
"""

from typing import Any
from uuid import UUID

from assets.blobs import repository
from assets.blobs.types import Blob
from assets.means import Means
from assets.types import BUCKET, keys_of, object_key
from common.errors import NotFoundError

_FIRST = (UUID(int=0), "")
_STRETCH = 1_000


async def claim(means: Means, project_id: UUID, sha256: str, size: int) -> UUID:
    """Count bytes that are about to be put, once for each hash; return the blob's generation.

    It is certain before it returns, whatever transaction this is part of. Raises
    ``QuotaExceededError``, and ``NotFoundError`` where the project is gone.
    """
    room = means.settings.library_bytes_max
    generation = await repository.claim(means.aside, project_id, sha256, size, room)
    if generation is None:
        raise NotFoundError("There is no such thing.")
    return generation


async def put(
    means: Means,
    project_id: UUID,
    body: Any,  # noqa: ANN401 - bytes or a file
    *,
    sha256: str,
    size: int,
    content_type: str,
) -> UUID:
    """Claim a blob and put its object; return the blob's generation.

    The store refuses other bytes than those of the hash.
    """
    generation = await claim(means, project_id, sha256, size)
    key = object_key(project_id, sha256)
    await means.storage.put(BUCKET, key, body, content_type=content_type, sha256=sha256)
    return generation


async def used(means: Means, project_id: UUID) -> int:
    """Return how many bytes a project has."""
    return await repository.used(means.db, project_id)


async def sweep(means: Means) -> int:
    """Look at every blob, and delete what nothing needs; return how many went.

    With a blob goes what was made out of it, and so another one may be nobody's: they are looked
    at until nothing goes.
    Raises ``UnavailableError`` where the store does not answer: the rest is for another turn.
    """
    gone = 0
    while went := await _walk(means):
        gone += went
    return gone


async def _walk(means: Means) -> int:
    ages = _ages(means)
    after, gone = _FIRST, 0
    while True:
        found = await repository.stretch(means.db, after, limit=_STRETCH, **ages)
        for blob in found:
            if blob.is_due and await _collect(means, blob):
                gone += 1
        if len(found) < _STRETCH:
            return gone
        after = (found[-1].project_id, found[-1].sha256)


async def garbage(means: Means, project_id: UUID, without: list[UUID]) -> list[Blob]:
    """Return a project's blobs that nothing needs but those assets, the largest first."""
    return await repository.garbage(means.db, project_id, without, **_ages(means))


def _ages(means: Means) -> dict[str, float]:
    """Of a project that is gone only what is on its way is waited for."""
    settings = means.settings
    return {"age_s": settings.collect_after_s, "purged_s": settings.collect_purged_after_s}


async def _collect(means: Means, blob: Blob) -> bool:
    """Delete the object and then its row: were the row gone first, nothing would know of it."""
    async with means.db.transaction() as tx:
        if not await repository.hold(tx, blob, **_ages(means)):
            return False
        # asked once more, now that nothing can come to need it
        if not await repository.is_loose(tx, blob):
            return False
        for key in keys_of(blob.project_id, blob.sha256):
            await means.storage.delete(BUCKET, key)
        await repository.drop(tx, blob)
    return True
