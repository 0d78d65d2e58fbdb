"""What is where in a project: for callers, and for the fleet, which has checked its own callers."""

from uuid import UUID

import msgspec

from common.caller import Caller
from common.errors import InvalidError, NotFoundError, PayloadTooLargeError
from projects.contents import service as contents
from projects.live import holding
from projects.means import Means
from projects.trees import repository
from projects.trees.schema import Blobs, Pin, PinnedFile, Wanted
from projects.trees.types import Moment

_ABSENT = "There is no such project."
_ALL = 2**31
DEPTH_MAX = 1000
_NAME = "tree:{}:{}"
_HASH_CHARS = 64


async def tree(
    means: Means,
    caller: Caller,
    project_id: UUID,
    prefix: str,
    depth: int,
    known: str | None = None,
) -> tuple[str, bytes]:
    """Return the hash and the entries (as JSON) of what is below ``prefix``.

    A large tree is kept in the cache, under how far the project's history had got: whoever changes
    a file changes that, so what is read is always what was written. Whose hash is ``known`` comes
    from there without its entries (empty).
    """
    # the whole of it alone: parts are as many as anybody likes to ask for
    is_whole = prefix == "" and depth == DEPTH_MAX
    few = means.settings.tree_cached_min if is_whole else _ALL

    async def read() -> repository.Tree | None:
        return await _now(means, caller, project_id, prefix, depth, few)

    found = await holding.settled(means, project_id, read)
    if found is None:
        raise NotFoundError(_ABSENT)
    if found.files <= few:
        return found.hash, found.entries
    kept = await _kept(means, project_id, found.seq, known)
    if kept is not None:
        return kept
    found = await _now(means, caller, project_id, prefix, depth, _ALL)
    if found is None:
        raise NotFoundError(_ABSENT)
    await _keep(means, project_id, found.seq, found.hash, found.entries)
    return found.hash, found.entries


async def _now(
    means: Means, caller: Caller, project_id: UUID, prefix: str, depth: int, files_max: int
) -> repository.Tree | None:
    return await repository.now(means.db, project_id, caller.user_id, prefix, depth, files_max)


async def past(
    means: Means,
    caller: Caller,
    project_id: UUID,
    at: Moment,
    prefix: str,
    depth: int,
    known: str | None = None,
) -> tuple[str, bytes]:
    """Return the hash and the entries (as JSON) of what was below ``prefix`` at a moment."""
    seq = await moment(means, caller, project_id, at)
    is_whole = prefix == "" and depth == DEPTH_MAX
    kept = await _kept(means, project_id, seq, known) if is_whole else None
    if kept is not None:
        return kept
    found = await repository.past(means.db, project_id, seq, prefix, depth)
    if is_whole and len(found.entries) >= means.settings.tree_cached_bytes_min:
        await _keep(means, project_id, seq, found.hash, found.entries)
    return found.hash, found.entries


async def moment(means: Means, caller: Caller, project_id: UUID, at: Moment) -> int:
    """Return which moment of the project's history is meant, as its number.

    What one transaction changed happened together: a number in the midst of it means all of it.

    Raises ``NotFoundError`` for who may not see the project, ``InvalidError`` for a number that
    the history has not reached. At a time to come it is as it is now.
    """
    found = await repository.moment(means.db, project_id, caller.user_id, at)
    if found is None:
        raise NotFoundError(_ABSENT)
    if found.seq > found.head:
        raise InvalidError.of("at", f"The project's history has got to {found.head}.")
    return found.seq


async def _kept(
    means: Means, project_id: UUID, seq: int, known: str | None
) -> tuple[str, bytes] | None:
    name = _NAME.format(project_id, seq)
    if known is not None and await means.cache.get(f"{name}:hash") == known.encode():
        return known, b""
    kept = await means.cache.get(name)
    return None if kept is None else (kept[:_HASH_CHARS].decode(), kept[_HASH_CHARS:])


async def _keep(means: Means, project_id: UUID, seq: int, digest: str, entries: bytes) -> None:
    name, kept_s = _NAME.format(project_id, seq), means.settings.tree_kept_s
    await means.cache.put(name, digest.encode() + entries, kept_s=kept_s)
    await means.cache.put(f"{name}:hash", digest.encode(), kept_s=kept_s)


async def pin(means: Means, project_id: UUID, seq: int | None = None) -> Pin:
    """Return the tree as of ``seq``, or as of now with all that was typed by then."""

    async def read() -> repository.PinRow | None:
        return await repository.pin(means.db, project_id, seq)

    row = await holding.settled(means, project_id, read)
    if row is None:
        raise NotFoundError(_ABSENT)
    return Pin(row.seq, row.tree_hash, msgspec.json.decode(row.files, type=list[PinnedFile]))


async def blobs(means: Means, wanted: Wanted) -> Blobs:
    """Return contents by hash."""
    limit = means.settings.blobs_per_call_max
    if len(wanted.hashes) > limit:
        raise PayloadTooLargeError("Too many at once.", {"limit": limit})
    return Blobs(await contents.load(means, wanted.project_id, wanted.hashes))


async def current(means: Means, project_id: UUID, path: str) -> tuple[str, bytes]:
    """Return the hash and the bytes of the file at a path."""
    row = await repository.current(means.db, project_id, path)
    if row is None or row.hash is None:
        raise NotFoundError("There is no such file.")
    if row.content is None:
        return row.hash, await contents.fetch(means, row.hash)
    return row.hash, row.content
