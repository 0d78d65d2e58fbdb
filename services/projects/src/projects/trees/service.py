"""What is where in a project: for callers, and for the fleet, which has checked its own callers."""

from uuid import UUID

import msgspec

from common.caller import Caller
from common.database import Database
from common.errors import NotFoundError, PayloadTooLargeError
from projects.settings import Settings
from projects.trees import repository
from projects.trees.schema import Blobs, Pin, PinnedFile, Wanted

_ABSENT = "There is no such project."


async def tree(
    db: Database, caller: Caller, project_id: UUID, prefix: str, depth: int
) -> tuple[str, bytes]:
    """Return the hash and the entries (as JSON) of what is below ``prefix``."""
    found = await repository.tree(db, project_id, caller.user_id, prefix, depth)
    if found is None:
        raise NotFoundError(_ABSENT)
    return found


async def pin(db: Database, project_id: UUID, seq: int | None = None) -> Pin:
    """Return the tree as of ``seq``, or as of now."""
    row = await repository.pin(db, project_id, seq)
    if row is None:
        raise NotFoundError(_ABSENT)
    files = msgspec.json.decode(row.files, type=list[PinnedFile])
    return Pin(row.seq, row.tree_hash, sorted(files, key=lambda f: f.path.encode()))


async def blobs(db: Database, settings: Settings, wanted: Wanted) -> Blobs:
    """Return contents by hash."""
    limit = settings.blobs_per_call_max
    if len(wanted.hashes) > limit:
        raise PayloadTooLargeError("Too many at once.", {"limit": limit})
    found = await repository.blobs(db, wanted.project_id, wanted.hashes)
    return Blobs({blob.hash: blob.content for blob in found})


async def current(db: Database, project_id: UUID, path: str) -> tuple[str, bytes]:
    """Return the hash and the bytes of the file at a path."""
    row = await repository.current(db, project_id, path)
    if row is None or row.hash is None or row.content is None:
        raise NotFoundError("There is no such file.")
    return row.hash, row.content
