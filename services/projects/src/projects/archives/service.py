"""Whole projects as archives: out of one, and into a new one."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from tempfile import TemporaryFile
from typing import BinaryIO, Protocol
from uuid import UUID

import msgspec

from common.caller import Caller
from common.errors import ForbiddenError, NotFoundError, PayloadTooLargeError
from projects.archives import reading, repository
from projects.archives.turns import Turns
from projects.archives.types import Entry, Limits
from projects.archives.writing import Writer
from projects.contents import service as contents
from projects.errors import QuotaExceededError
from projects.files import service as files
from projects.files.types import Content, Encoding, content_of
from projects.files.types import Entry as FileEntry
from projects.lifecycle import service as lifecycle
from projects.lifecycle.schema import NewProject
from projects.means import Means
from projects.settings import Settings
from projects.trees import service as trees
from projects.trees.schema import PinnedFile

# another one where the same tree would make other bytes
_FORM = 1
_ABSENT = "There is no such project."


class _Sized(Protocol):
    @property
    def size(self) -> int: ...


class Snapshot(msgspec.Struct, frozen=True):
    """A project's files at a moment; ``tag`` stands for the bytes of their archive."""

    project_id: UUID
    name: str
    tag: str
    files: list[PinnedFile]


class Packed(msgspec.Struct, frozen=True):
    """An archive on disk, its size and its SHA-256; ``close`` takes it away."""

    file: BinaryIO
    size: int
    digest: bytes
    close: Callable[[], Awaitable[None]]


async def snapshot(
    means: Means, caller: Caller, project_id: UUID, at: int | datetime | None
) -> Snapshot:
    """Return what the project holds, or held at a moment.

    Raises ``PayloadTooLargeError`` where that is more than an archive may hold.
    """
    name = await repository.name(means.db, project_id, caller.user_id)
    if name is None:
        raise NotFoundError(_ABSENT)
    seq = None if at is None else await trees.moment(means, caller, project_id, at)
    pin = await trees.pin(means, project_id, seq)
    limit = means.settings.export_bytes_max
    if sum(file.size for file in pin.files) > limit:
        raise PayloadTooLargeError("The project is too large for an archive.", {"limit": limit})
    ordered = sorted(pin.files, key=lambda file: file.path.encode())
    return Snapshot(project_id, name, f"{pin.tree_hash}-{_FORM}", ordered)


async def pack(means: Means, turns: Turns, wanted: Snapshot) -> Packed:
    """Put the files into an archive: the same files make the same bytes."""
    settings = means.settings
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(turns.sending.taken())
        file = stack.enter_context(_temporary(settings))
        writer = Writer(file)
        async with turns.exporting.taken():
            for part in _parts(wanted.files, settings.archive_part_bytes):
                hashes = sorted({one.hash for one in part})
                found = await contents.load(means, wanted.project_id, hashes)
                if len(found) < len(hashes):
                    # purged in this moment
                    raise NotFoundError(_ABSENT)
                await asyncio.to_thread(_add, writer, part, found)
            digest = await asyncio.to_thread(writer.finish)
        return Packed(file, writer.size, digest, stack.pop_all().aclose)


def _temporary(settings: Settings) -> BinaryIO:
    """A file that nobody can name: it goes when it is closed, and with this process."""
    return TemporaryFile(dir=settings.archive_folder or None)


def _add(writer: Writer, part: list[PinnedFile], found: dict[str, bytes]) -> None:
    for file in part:
        writer.add(file.path, found[file.hash], is_text=file.encoding == "utf-8")


def _parts[T: _Sized](wanted: Iterable[T], bytes_max: int) -> Iterator[list[T]]:
    """So many bytes at a time, or one that is larger."""
    part: list[T] = []
    size = 0
    for one in wanted:
        if part and size + one.size > bytes_max:
            yield part
            part, size = [], 0
        part.append(one)
        size += one.size
    if part:
        yield part


class _Found(msgspec.Struct, frozen=True):
    """A file in an archive, and what its bytes are."""

    entry: Entry
    hash: str
    encoding: Encoding

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return self.entry.size


async def refuse_early(means: Means, caller: Caller) -> None:
    """Before anything is received: who may have no other project makes none."""
    if caller.project_id is not None:
        raise ForbiddenError("This API key is for one project.")
    used = await lifecycle.owned(means.db, caller.user_id)
    if used >= means.settings.projects_per_user_max:
        raise lifecycle.too_many(means.settings, used)


async def unpack(
    means: Means, turns: Turns, caller: Caller, new: NewProject, file: BinaryIO, *, waits: bool
) -> tuple[UUID, bytes]:
    """Create a project with the files of an archive, or nothing; return its id, and it as JSON.

    All of the archive is read and checked before anything is written, and contents are kept before
    the project is made: where that fails, they are nobody's, and swept away. Who holds a connection
    to the database already does not wait for a turn.
    Raises ``UnsafeArchiveError`` and ``QuotaExceededError``.
    """
    settings = means.settings
    async with turns.importing.taken(waits=waits):
        found = await asyncio.to_thread(_read, file, settings)
        # the same bytes are kept once, wherever they are
        distinct = {one.hash: one for one in found}.values()
        _refuse_many(settings, len(found), sum(one.size for one in distinct))
        for part in _parts(distinct, settings.archive_part_bytes):
            await contents.deposit(means, await asyncio.to_thread(_bytes_of, file, part))
        async with means.db.transaction() as tx:
            project_id, body = await lifecycle.create(tx, settings, caller, new)
            author = files.author_of(means, caller, project_id, "import")
            await files.fill(tx, means, author, [_placed(one) for one in found])
    return project_id, body


def _read(file: BinaryIO, settings: Settings) -> list[_Found]:
    limits = Limits(
        entries_max=settings.import_entries_max,
        file_bytes_max=settings.file_bytes_max,
        total_bytes_max=settings.import_content_bytes_max,
        ratio_max=settings.import_ratio_max,
    )
    entries = reading.checked(file, limits)
    return [
        _Found(entry, content.hash, content.encoding)
        for entry, data in reading.contents(file, entries)
        for content in (content_of(data, settings.file_bytes_max),)
    ]


def _refuse_many(settings: Settings, count: int, size: int) -> None:
    """The new project holds nothing yet: ``used`` is 0."""
    for held, limit, wanted in (
        ("files", settings.files_per_project_max, count),
        ("bytes", settings.storage_bytes_max, size),
    ):
        if wanted > limit:
            message = f"The project would hold more {held} than it may."
            raise QuotaExceededError(message, limit=limit, used=0)


def _placed(found: _Found) -> FileEntry:
    return FileEntry(found.entry.path, found.hash, found.size, found.encoding)


def _bytes_of(file: BinaryIO, part: Sequence[_Found]) -> list[Content]:
    read = reading.contents(file, [one.entry for one in part])
    return [
        Content(data, one.hash, one.encoding) for one, (_, data) in zip(part, read, strict=True)
    ]
