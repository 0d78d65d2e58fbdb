"""What came to the store too late: after its upload was forgotten, nothing knows of it."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

from assets.means import Means
from assets.quarantine import repository
from assets.types import BUCKET, QUARANTINE

_KEY = re.compile(re.escape(QUARANTINE) + r"([0-9a-f-]{36})(?:\.[0-9]+)?")


async def sweep(means: Means, *, before: datetime | None = None) -> int:
    """Delete what is older than any upload may be and belongs to none; return how much.

    The store asks whether a URL is good when a request begins, and the request may take its time.
    """
    settings = means.settings
    lifetime = timedelta(seconds=settings.large_lifetime_s + settings.upload_grace_s)
    until = before or datetime.now(UTC) - lifetime
    gone = 0
    async for page in _pages(means, until):
        known = await repository.known_ids(means.db, page.values())
        for key, upload_id in page.items():
            if upload_id not in known:
                await means.storage.delete(BUCKET, key)
                gone += 1
    return gone


async def _pages(means: Means, until: datetime) -> AsyncIterator[dict[str, UUID]]:
    """Name the uploads' objects that are older, a thousand at a time, each with its upload."""
    more: dict[str, str] = {}
    while True:
        answer = await means.storage.call(
            "list_objects_v2", Bucket=BUCKET, Prefix=QUARANTINE, **more
        )
        old = [
            found["Key"] for found in answer.get("Contents", ()) if found["LastModified"] < until
        ]
        yield {key: UUID(found[1]) for key in old if (found := _KEY.fullmatch(key))}
        if not answer.get("IsTruncated"):
            return
        more = {"ContinuationToken": answer["NextContinuationToken"]}
