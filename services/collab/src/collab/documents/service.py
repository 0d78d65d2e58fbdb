"""Documents and the files that they are of: a document begins with a file's text, once.

Afterwards the file enters only as a change of the document.
"""

import hashlib

import msgspec

from collab.documents import repository
from collab.documents.document import Document
from collab.documents.types import Entry, Key, Stored
from collab.peers import Projects
from collab.settings import Settings
from collab.yjs.log import seeded
from common.contracts.projects import (
    FileChange,
    FileCreated,
    FileDeleted,
    FileMoved,
    FileUpdated,
)
from common.database import Database, Queries
from common.errors import NotFoundError, UnavailableError

UNREACHABLE = repository.UNREACHABLE


class Means(msgspec.Struct, frozen=True):
    """What documents are loaded with."""

    db: Database
    projects: Projects
    settings: Settings


async def load(means: Means, key: Key) -> Stored:
    """Read a document; one that was never opened begins with the file's text.

    Of several that begin it at the same time one is kept, and all go on from that.
    """
    try:
        stored = await repository.load(means.db, *key)
        while stored is None:
            text, digest = await _text(means, key)
            first = seeded(text, _client_of(key, digest))
            await repository.create(means.db, *key, first, digest)
            stored = await repository.load(means.db, *key)
    except UNREACHABLE as exc:
        raise UnavailableError from exc
    return stored


def _client_of(key: Key, digest: str) -> int:
    """The author of the first text: the same for the same text, so that even two are one."""
    name = f"{key[0]}/{key[1]}/{digest}".encode()
    return int.from_bytes(hashlib.sha256(name).digest()[:4]) or 1


async def _text(means: Means, key: Key) -> tuple[str, str]:
    """Return the file's text and hash; what is no text, or too much of it, is no document."""
    content = await means.projects.file(*key)
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise NotFoundError("This is not a text file.") from None
    if len(content) > means.settings.document_bytes_max or "\0" in text:
        raise NotFoundError("This is not a text that can be edited live.")
    return text, hashlib.sha256(content).hexdigest()


async def catch_up(means: Means, document: Document, actor: str) -> None:
    """Take what the file has become into the document, and remember that it was.

    Raises ``NotFoundError`` where there is no such text any more, and ``UnavailableError``.
    """
    text, digest = await _text(means, document.key)
    if digest == document.file_hash:
        # news of what the document began with, or took in before: what was typed since stays
        return
    mark = document.become(text, actor)
    await document.writer.settled()
    if mark is not None and document.writer.durable < mark:
        raise UnavailableError
    try:
        await repository.caught_up(means.db, document.id, digest)
        document.file_hash = digest
    except UNREACHABLE as exc:
        raise UnavailableError from exc


async def append(means: Means, document: Document, entry: Entry) -> bool:
    """Write an entry of the document's log; false where another process has."""
    return await repository.append(means.db, document.id, entry)


async def compact(means: Means, document: Document) -> None:
    """Let a snapshot stand for the log so far."""
    data, seq = document.snapshot()
    if seq > document.snapshot_seq:
        await repository.compact(means.db, document.id, data, seq)
        document.snapshot_seq = seq


async def learn(db: Queries, fact: FileChange) -> None:
    """Let what is stored follow a change of a file."""
    match fact:
        case FileCreated() | FileUpdated():
            await repository.file_changed(db, fact.project_id, fact.path, fact.hash)
        case FileMoved():
            await repository.file_moved(db, fact.project_id, fact.path, fact.to)
        case FileDeleted():
            await repository.file_deleted(db, fact.project_id, fact.path)
        case _:
            pass
