"""Reading a document, and beginning one: from the text of its file, once.

Afterwards the file enters only as a change of the document.
"""

import hashlib
from uuid import UUID

import msgspec
import structlog

from collab.documents import repository
from collab.documents.document import Document
from collab.documents.means import Means
from collab.documents.types import Entry, Key, LiveFile, Stored
from collab.documents.writer import Signals
from collab.outages import UNREACHABLE
from collab.workshop.workshop import SpoiledError, spoiled_by
from collab.yjs.log import seeded
from collab.yjs.updates import EMPTY
from common.errors import NotFoundError, UnavailableError

log = structlog.get_logger()

_ATTEMPTS = 8


async def load(means: Means, project_id: UUID, file: LiveFile) -> Stored:
    """Read a document for its owner; one that was never opened begins with the file's text.

    An empty entry ends the log of whoever had the document before: what they still send finds its
    number taken. Raises ``NotFoundError`` and ``UnavailableError``.
    """
    try:
        for _ in range(_ATTEMPTS):
            stored = await repository.load(means.db, file.file_id)
            if stored is None:
                await _begin(means, project_id, file)
                continue
            fence = Entry(stored.seq + 1, EMPTY, str(means.leases.node.id))
            if await repository.append(means.db, file.file_id, fence):
                return _with(stored, fence)
    except UNREACHABLE as exc:
        raise UnavailableError from exc
    raise UnavailableError


def _with(stored: Stored, fence: Entry) -> Stored:
    return msgspec.structs.replace(
        stored,
        seqs=[*stored.seqs, fence.seq],
        updates=[*stored.updates, fence.data],
        actors=[*stored.actors, ""],
        file_hashes=[*stored.file_hashes, ""],
    )


async def _begin(means: Means, project_id: UUID, file: LiveFile) -> None:
    text, digest = file.content, file.hash
    if text is None or digest is None or "\0" in text:
        raise NotFoundError("This is not a text that can be edited live.")
    before = await repository.before(means.db, file.file_id)
    seed = _client_of(file.file_id, digest, before.count)
    try:
        first = await means.workshop.do(len(text), seeded, text, seed)
    except SpoiledError as exc:
        raise UnavailableError from exc
    await repository.create(
        means.db, file.file_id, project_id, first, seed=seed, seq=before.seq, digest=digest
    )


def _client_of(file_id: UUID, digest: str, before: int) -> int:
    """The author of the first text: the same for the same text, so that even two are one.

    Another one than of those ``before``, which were put aside.
    """
    name = f"{file_id}/{digest}/{before}" if before else f"{file_id}/{digest}"
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) or 1


async def put_aside(means: Means, document_id: UUID, seq: int) -> None:
    """Keep a document of which nothing can be made for whoever wants to know why.

    Its file goes on with a new one. Raises ``UnavailableError``.
    """
    try:
        is_aside = await repository.put_aside(means.db, document_id, seq)
    except UNREACHABLE as exc:
        raise UnavailableError from exc
    log.error("document_put_aside", document_id=document_id, is_aside=is_aside)


def document(
    means: Means, key: Key, stored: Stored, flushed_seq: int, signals: Signals
) -> Document:
    """Make a document of what is stored; raises ``SpoiledError``."""

    async def append(entry: Entry) -> bool:
        return await repository.append(means.db, stored.id, entry)

    try:
        return Document(key, stored, flushed_seq, means.settings, append, signals)
    except BaseException as exc:
        raise spoiled_by(exc) from exc


async def close(means: Means, project_id: UUID, file_ids: list[UUID]) -> None:
    """Say that files are not live any more; nothing where the project is another process's."""
    epoch = means.leases.epoch(project_id)
    if epoch is not None:
        await means.projects.close_files(project_id, file_ids, epoch)
