"""Logs of builds that have ended: they move to the object store, and their rows go.

A line of JSON for each line of the log, compressed; the same log is always the same bytes. Readers
look at the row first, which says where the log is.
"""

import asyncio
import gzip
from hashlib import sha256
from uuid import UUID

import msgspec
import structlog

from builds import places
from builds.logs import repository
from builds.logs.schema import Line
from builds.logs.types import Kept
from common.database import Database
from common.errors import UnavailableError
from common.storage import Storage

log = structlog.get_logger()

_MEDIA_TYPE = "application/gzip"
_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Line)


def text_of(lines: list[Line]) -> bytes:
    """The log as a text."""
    return "".join(f"{line.text}\n" for line in lines).encode()


async def lines(storage: Storage, build_id: UUID) -> list[Line]:
    """Read a log that is kept; raises ``UnavailableError`` while the store is away."""
    packed = await storage.get(places.BUCKET, places.log(build_id))
    return await asyncio.to_thread(_unpacked, packed)


async def move(db: Database, storage: Storage, limit: int) -> None:
    """Store the logs of builds that have ended; while the store is away they stay here."""
    try:
        for build_id in await repository.waiting(db, limit):
            await _move(db, storage, build_id)
    except UnavailableError:
        log.warning("logs_wait")


async def _move(db: Database, storage: Storage, build_id: UUID) -> None:
    found = await repository.all_lines(db, build_id)
    packed, kept = await asyncio.to_thread(_packed, found)
    key = places.log(build_id)
    if found:
        await storage.put(places.BUCKET, key, packed, content_type=_MEDIA_TYPE)
    if await repository.note(db, build_id, kept):
        return
    # another worker was quicker; or the build was deleted, and nobody will look for the log again
    if not await repository.is_kept(db, build_id):
        await storage.delete(places.BUCKET, key)


def _packed(found: list[Line]) -> tuple[bytes, Kept]:
    packed = gzip.compress(_ENCODER.encode_lines(found), mtime=0)
    return packed, Kept(len(found), sha256(text_of(found)).hexdigest())


def _unpacked(packed: bytes) -> list[Line]:
    return _DECODER.decode_lines(gzip.decompress(packed))
