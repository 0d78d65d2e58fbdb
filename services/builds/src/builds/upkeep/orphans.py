"""Objects that no build has: a worker was killed between storing them and saying so."""

import time
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from builds import places
from builds.upkeep import repository
from builds.work.one import Bench
from common.storage import Storage

log = structlog.get_logger()

_AT_ONCE = 100


class _Round:
    """When the store was looked through last."""

    at = float("-inf")


async def collect(bench: Bench) -> None:
    """Remove what no build has and is old enough; does nothing until it is time again."""
    settings = bench.settings
    if time.monotonic() < _Round.at + settings.orphans_every_s:
        return
    before = datetime.now(UTC) - timedelta(seconds=settings.orphans_after_s)
    async for results in _results(bench.storage):
        used = await repository.used(bench.db, results)
        for result_id in set(results) - used:
            await _remove(bench.storage, result_id, before)
    _Round.at = time.monotonic()


async def _results(storage: Storage) -> AsyncGenerator[list[UUID]]:
    async for page in _pages(storage, Delimiter="/"):
        folders = [prefix["Prefix"].rstrip("/") for prefix in page.get("CommonPrefixes", [])]
        if found := [result_id for name in folders if (result_id := _id(name))]:
            yield found


def _id(name: str) -> UUID | None:
    try:
        return UUID(name)
    except ValueError:
        return None


async def _remove(storage: Storage, result_id: UUID, before: datetime) -> None:
    """Remove a result's objects unless one of them is young: its build may be at it still."""
    keys: list[str] = []
    for folder in places.folders(result_id):
        async for page in _pages(storage, Prefix=folder):
            for found in page.get("Contents", []):
                if found["LastModified"] > before:
                    return
                keys.append(found["Key"])
    for key in keys:
        await storage.delete(places.BUCKET, key)
    if keys:
        log.warning("orphans_removed", result=str(result_id), objects=len(keys))


async def _pages(storage: Storage, **asked: str) -> AsyncGenerator[dict[str, Any]]:
    """List what the bucket has, page by page, as the store answers."""
    more: dict[str, Any] = {}
    while True:
        page = await storage.call(
            "list_objects_v2", Bucket=places.BUCKET, MaxKeys=_AT_ONCE, **asked, **more
        )
        yield page
        if not page.get("IsTruncated"):
            return
        more = {"ContinuationToken": page["NextContinuationToken"]}
