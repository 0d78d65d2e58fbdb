"""Files of documents that are open live, for collab: marks, looks, and what was typed."""

import asyncio
from uuid import UUID

import msgspec

from common.errors import ConflictError, NotFoundError
from projects.contents import service as contents
from projects.files import changes, writing
from projects.files.schema import FileInfo
from projects.files.types import Author, Content, Result, content_of, put
from projects.keyframes import service as keyframes
from projects.live import repository
from projects.live.repository import Seen, Target
from projects.live.schema import (
    Closing,
    LiveFile,
    LiveFiles,
    Look,
    Opening,
    WriteBack,
    Written,
)
from projects.means import Means

# collab asks while others wait for it, who may hold connections of ``db``: so these are of
# ``aside``, which nobody holds while they wait


async def mark(means: Means, project_id: UUID, wanted: Opening) -> LiveFile:
    """Mark a file as open live, before anybody types into it, and tell what is in it.

    Raises ``NotFoundError`` where there is no such file, or it is nothing to type into.
    """
    found = await repository.mark(
        means.aside, project_id, wanted.path, wanted.epoch, wanted.known, wanted.bytes_max
    )
    if found is None:
        raise NotFoundError("There is no such file.")
    return await _told(means, found)


async def look(means: Means, project_id: UUID, wanted: Look) -> LiveFiles:
    """Tell what the files of documents are now, wherever they went."""
    bytes_max = means.settings.file_bytes_max
    found = await repository.look(means.aside, project_id, wanted.files, bytes_max)
    return LiveFiles(await asyncio.gather(*[_told(means, one) for one in found]))


async def _told(means: Means, seen: Seen) -> LiveFile:
    data = seen.content
    if data is None and seen.wanted is not None:
        data = await contents.fetch(means, seen.wanted)
    return LiveFile(
        file_id=seen.document_id,
        path=seen.path,
        hash=seen.hash,
        version=seen.version,
        flushed_seq=seen.flushed_seq,
        actor_id=seen.actor_id,
        is_text=seen.is_text,
        content=None if data is None else data.decode(),
    )


async def close(means: Means, project_id: UUID, wanted: Closing) -> int:
    """Take marks away; those of another epoch stay. Return how many went."""
    return await repository.close(means.aside, project_id, wanted.file_ids, wanted.epoch)


class _FullError(Exception):
    """The project would hold more than it may: nothing of this is kept."""


async def write(means: Means, project_id: UUID, wanted: WriteBack) -> Written:
    """Write what was typed into its file, if that still is what it was typed upon.

    Not asked is whether who typed may write now: they could when they typed.
    """
    content = content_of(wanted.content.encode(), means.settings.file_bytes_max)
    if contents.is_large(means, content):
        target = await repository.target(means.aside, project_id, wanted.file_id)
        foreseen = _foreseen(target, wanted, content)
        if foreseen is not None and foreseen.verdict in {"stale", "fenced"}:
            return foreseen
        await contents.store(means, content)
    for look in range(means.settings.write_attempts_max):
        try:
            written = await _write_anyway(means, project_id, wanted, content)
        except ConflictError:
            continue
        # what moved in that moment is found where it went
        if written.verdict != "gone" or look > 0:
            return written
    raise ConflictError("Too many write this file at once; try again.")


async def _write_anyway(
    means: Means, project_id: UUID, wanted: WriteBack, content: Content
) -> Written:
    """What was acknowledged to who typed it comes in, if need be into room beyond the limit."""
    room = means.settings.storage_bytes_max
    try:
        return await _write(means, project_id, wanted, content, room)
    except _FullError:
        beyond = room + means.settings.typed_beyond_bytes_max
    try:
        written = await _write(means, project_id, wanted, content, beyond)
    except _FullError:
        return Written("full")
    return msgspec.structs.replace(written, is_full=True)


async def _write(
    means: Means, project_id: UUID, wanted: WriteBack, content: Content, room: int
) -> Written:
    is_due = False
    async with means.aside.transaction() as tx:
        target = await repository.hold(tx, project_id, wanted.file_id)
        written = _foreseen(target, wanted, content)
        if written is None and target is not None and target.path is not None:
            change = put(
                target.path,
                content,
                expected=wanted.expected,
                must_be="present",
                held=wanted.file_id,
            )
            author = _author(means, project_id, wanted.actors, room)
            [result] = await changes.change_all(tx, author, [writing.uploaded(means, change)])
            written, is_due = _became(result), result.is_due
        if written is None:
            return Written("gone")
        if written.verdict in {"written", "unchanged"}:
            await repository.advance(tx, wanted.file_id, wanted.epoch, wanted.seq)
    if is_due:
        keyframes.keep_up(means, project_id)
    return written


def _foreseen(target: Target | None, wanted: WriteBack, content: Content) -> Written | None:
    """What becomes of a write-back for which nothing is to be written; ``None`` of another one."""
    if target is None:
        return Written("gone")
    if target.epoch is None or target.epoch > wanted.epoch:
        return Written("fenced", target.hash, target.version)
    if target.hash is None:
        return Written("gone")
    if wanted.seq <= (target.flushed_seq or 0) or target.hash == content.hash:
        # what was written is what was typed up to there, whoever wrote something else since
        return Written("unchanged", content.hash, target.version)
    if target.hash != wanted.expected:
        return Written("stale", target.hash, target.version)
    return None


def _author(means: Means, project_id: UUID, actors: list[UUID], room: int) -> Author:
    """Who typed: the last of them is the version's author."""
    return Author(
        project_id=project_id,
        user_id=actors[-1],
        origin="ws",
        bytes_max=room,
        files_max=means.settings.files_per_project_max,
        actors=tuple(actors),
    )


def _became(result: Result) -> Written:
    """What a change that was foreseen to be written has become."""
    if result.verdict in writing.QUOTAS:
        raise _FullError
    if result.verdict == "missing":
        # it went to the trash in this moment
        return Written("gone")
    if result.verdict != "write":
        # what is held changes for nobody: this is never so
        raise ConflictError("The file is not what it was.")
    file = msgspec.json.decode(result.body or b"", type=FileInfo)
    return Written("written", file.hash, file.version)
