"""What came to the store too late: after its upload was forgotten, nothing knows of it."""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

from assets.means import Means
from assets.quarantine import listing, repository
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
    async for page in listing.pages(means, QUARANTINE):
        old = {
            key: UUID(found[1])
            for key, written_at in page.items()
            if written_at < until and (found := _KEY.fullmatch(key))
        }
        known = await repository.known_ids(means.db, old.values())
        for key in (key for key, upload_id in old.items() if upload_id not in known):
            await means.storage.delete(BUCKET, key)
            gone += 1
    return gone
