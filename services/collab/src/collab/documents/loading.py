"""Reading a document, and beginning one: from the text of its file, once.

Afterwards the file enters only as a change of the document.
"""

import hashlib
from uuid import UUID

import msgspec

from collab.documents import repository
from collab.documents.means import Means
from collab.documents.types import Entry, LiveFile, Stored
from collab.outages import UNREACHABLE
from collab.yjs.log import seeded
from collab.yjs.updates import EMPTY
from common.errors import NotFoundError, UnavailableError

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
    seed = _client_of(file.file_id, digest)
    first = seeded(text, seed)
    await repository.create(means.db, file.file_id, project_id, first, seed=seed, digest=digest)


def _client_of(file_id: UUID, digest: str) -> int:
    """The author of the first text: the same for the same text, so that even two are one."""
    name = f"{file_id}/{digest}".encode()
    return int.from_bytes(hashlib.sha256(name).digest()[:4]) or 1


async def append(means: Means, document_id: UUID, entry: Entry) -> bool:
    """Write an entry of the document's log; false where another process has."""
    return await repository.append(means.db, document_id, entry)
