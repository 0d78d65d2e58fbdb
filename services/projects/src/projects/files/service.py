"""What may be done with the files of a project."""

from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

import msgspec

from common.answers import Window
from common.caller import Caller
from common.contracts.projects import TreeFilled
from common.database import Queries
from common.errors import NotFoundError
from common.outbox import announce
from projects.contents import service as contents
from projects.errors import InvalidPathError
from projects.files import changes, listing, repository, writing
from projects.files.changes import Filled
from projects.files.listing import Listed, Stretch
from projects.files.repository import Bytes, Shown
from projects.files.schema import FileInfo
from projects.files.types import (
    Author,
    Change,
    Content,
    Entry,
    checked_path,
    content_of,
    folded,
    folders,
    put,
    shown,
)
from projects.keyframes import service as keyframes
from projects.live import holding
from projects.means import Means
from projects.peers import LiveText
from projects.trees import service as trees
from projects.trees.types import Moment

# files in one statement: it compares what it writes with what it was asked for, row by row
_STRETCH = 2000
_NO_PROJECT = "There is no such project."
_NO_FILE = "There is no such file."


class Written(msgspec.Struct, frozen=True):
    """What a write left: the file as JSON, its hash, and whether it is new."""

    body: bytes
    etag: str
    is_new: bool


class Conditions(msgspec.Struct, frozen=True):
    """What a write asks of the file as it is: ``If-Match``, ``If-None-Match: *``, or creation."""

    expected: str | None = None
    must_be: str = "any"
    is_creation: bool = False


async def show(
    means: Means,
    caller: Caller,
    project_id: UUID,
    path: str,
    known: str | None = None,
    at: Moment | None = None,
) -> tuple[str, bytes | None]:
    """Return the file's hash, and it as JSON unless the caller has that hash already.

    At a moment it is what it was then.
    """
    place = checked_path(path)
    if at is None:

        async def look() -> Shown | None:
            return await repository.show(means.db, project_id, caller.user_id, place, known)

        found, text = await holding.current(means, project_id, look, known)
    else:
        seq = await trees.moment(means, caller, project_id, at)
        found = await repository.show_past(means.db, project_id, place, seq, known)
        text = None
    if found is None:
        raise NotFoundError(_NO_FILE)
    if text is not None:
        return text.hash, None if text.hash == known else _as_typed(found.body or b"", text)
    if found.body is None or found.hash == known:
        return found.hash, None
    return found.hash, await whole(means, found) if found.is_stored else found.body


async def whole(means: Means, found: Shown) -> bytes:
    """A file as JSON with its content, which the object store has."""
    file = msgspec.json.decode(found.body or b"")
    file["content"] = shown(await contents.fetch(means, found.hash), file["encoding"])
    return msgspec.json.encode(file)


def _as_typed(body: bytes, typed: LiveText) -> bytes:
    """A file as JSON with what was typed since; its version is that of what was written last."""
    file = msgspec.json.decode(body)
    file |= {"content": typed.text, "size": typed.size, "hash": typed.hash, "encoding": "utf-8"}
    if typed.updated_at is not None:
        file |= {"updatedAt": typed.updated_at, "updatedBy": typed.updated_by}
    return msgspec.json.encode(file)


async def read(
    means: Means, caller: Caller, project_id: UUID, path: str, at: Moment | None = None
) -> tuple[str, bytes]:
    """Return the file's hash and its bytes, as they are or were at a moment."""
    place = checked_path(path)
    if at is None:

        async def look() -> Bytes | None:
            return await repository.read(means.db, project_id, caller.user_id, place)

        found, text = await holding.current(means, project_id, look)
    else:
        seq = await trees.moment(means, caller, project_id, at)
        found = await repository.read_past(means.db, project_id, place, seq)
        text = None
    if found is None:
        raise NotFoundError(_NO_FILE)
    if text is not None:
        return text.hash, (text.text or "").encode()
    if found.data is None:
        return found.hash, await contents.fetch(means, found.hash)
    return found.hash, found.data


async def index(
    means: Means, caller: Caller, project_id: UUID, prefix: str, wanted: Window
) -> tuple[int, bytes]:
    """Return how many files there are below ``prefix``, and a page of them as JSON."""

    async def read() -> Listed | None:
        return await listing.listed(means.db, project_id, caller.user_id, prefix, wanted)

    found = await holding.settled(means, project_id, read)
    if found is None:
        raise NotFoundError(_NO_PROJECT)
    return found.total, found.items


def author_of(means: Means, caller: Caller, project_id: UUID, origin: str) -> Author:
    """The caller, as who changes files of a project."""
    settings = means.settings
    return Author(
        project_id=project_id,
        user_id=caller.user_id,
        origin=origin,
        bytes_max=settings.storage_bytes_max,
        files_max=settings.files_per_project_max,
    )


async def stretch(
    means: Means,
    caller: Caller,
    project_id: UUID,
    prefix: str,
    wanted: Window,
    after: str | None,
) -> list[FileInfo]:
    """Return the files after a path, and one more than are wanted if there are others."""

    async def read() -> Stretch | None:
        return await listing.stretch(means.db, project_id, caller.user_id, prefix, wanted, after)

    found = await holding.settled(means, project_id, read)
    if found is None:
        raise NotFoundError(_NO_PROJECT)
    return msgspec.json.decode(found.items, type=list[FileInfo])


async def write(
    means: Means, caller: Caller, project_id: UUID, path: str, data: bytes, conditions: Conditions
) -> Written:
    """Leave ``data`` at ``path``, if the conditions hold."""
    content = content_of(data, means.settings.file_bytes_max)
    wanted = put(
        checked_path(path), content, expected=conditions.expected, must_be=conditions.must_be
    )
    author = author_of(means, caller, project_id, "rest")
    await writing.upload(means, author, [content])
    result = await writing.changed(means, author, writing.uploaded(means, wanted))
    writing.refuse(result, path, is_creation=conditions.is_creation)
    return Written(result.body or b"", result.etag or "", result.verdict == "created")


async def bring_back(
    means: Means, caller: Caller, project_id: UUID, entry: Entry, expected: str | None
) -> Written:
    """Leave at a path what the project had before, if it still is what is expected."""
    wanted = Change(
        path=entry.path,
        hash=entry.hash,
        size=entry.size,
        encoding=entry.encoding,
        expected=expected,
    )
    author = author_of(means, caller, project_id, "restore")
    result = await writing.changed(means, author, wanted)
    writing.refuse(result, entry.path)
    return Written(result.body or b"", result.etag or "", result.verdict == "created")


async def remove(
    means: Means, caller: Caller, project_id: UUID, path: str, expected: str | None
) -> None:
    """Let the file go; its history stays."""
    wanted = Change(path=checked_path(path), hash=None, expected=expected, must_be="present")
    result = await writing.changed(means, author_of(means, caller, project_id, "rest"), wanted)
    writing.refuse(result, path)


async def fill(
    tx: Queries,
    means: Means,
    author: Author,
    entries: Sequence[Entry],
    tell: Callable[[int], Awaitable[None]] | None = None,
) -> None:
    """Put files into a project that this transaction made: contents that are kept, at their paths.

    ``tell`` is awaited after each stretch with how many files are there. Paths are checked before.
    Raises ``QuotaExceededError``.
    """
    made: Filled | str = Filled(0, is_due=False)
    for start in range(0, len(entries), _STRETCH):
        part = list(entries[start : start + _STRETCH])
        made = await changes.fill(tx, author, part)
        if isinstance(made, str):
            raise await writing.over(means, author, made)
        if tell is not None:
            await tell(start + len(part))
    if isinstance(made, str) or made.seq == 0:
        return
    filled = TreeFilled(
        project_id=author.project_id,
        actor_id=author.user_id,
        origin=author.origin,
        seq=made.seq,
        files=len(entries),
    )
    await announce(tx, filled, author.project_id)
    if made.is_due:
        keyframes.keep_up(means, author.project_id)


def entries_of(
    files: Sequence[tuple[str, bytes]], bytes_max: int
) -> tuple[list[Entry], list[Content]]:
    """Look at paths and bytes: what is to be kept, and what is to be where.

    Raises ``InvalidPathError``, also where a path is a file and a folder.
    """
    found = [(checked_path(path), content_of(data, bytes_max)) for path, data in files]
    inside = {folder for path, _ in found for folder in folders(folded(path))}
    for path, _ in found:
        if folded(path) in inside:
            raise InvalidPathError("There is a folder at the path.", {"path": path})
    entries = [Entry(path, c.hash, c.size, c.encoding) for path, c in found]
    return entries, [content for _, content in found]
