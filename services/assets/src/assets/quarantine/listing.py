"""What objects there are of what waits, a thousand at a time."""

from collections.abc import AsyncIterator
from datetime import datetime

from assets.means import Means
from assets.types import BUCKET


async def pages(means: Means, prefix: str) -> AsyncIterator[dict[str, datetime]]:
    """Name the objects under ``prefix``, and when each was written; raises ``UnavailableError``."""
    more: dict[str, str] = {}
    while True:
        answer = await means.storage.call("list_objects_v2", Bucket=BUCKET, Prefix=prefix, **more)
        yield {found["Key"]: found["LastModified"] for found in answer.get("Contents", ())}
        if not answer.get("IsTruncated"):
            return
        more = {"ContinuationToken": answer["NextContinuationToken"]}
