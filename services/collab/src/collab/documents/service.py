"""What is asked of documents from outside of them: their text, and to be written back or held."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from collab.documents import repository
from collab.documents.document import Document, digest_of
from collab.documents.library import Library
from collab.documents.schema import LiveText, Opened, WantedOpen, WantedText
from collab.outages import UNREACHABLE
from collab.workshop.workshop import SpoiledError
from collab.yjs.log import text_of
from common.database import Queries
from common.errors import NotFoundError, UnavailableError


async def text(library: Library, project_id: UUID, wanted: WantedText) -> LiveText:
    """Return a document's text as of its last durable change, with the file as it is taken in.

    Raises ``NotFoundError`` and ``UnavailableError``.
    """
    return await library.on(project_id, wanted.file_id, lambda one: _shown(library, one, wanted))


async def _shown(library: Library, document: Document, wanted: WantedText) -> LiveText:
    if document.base.file_hash != wanted.hash:
        await library.look(document)
    if document.is_dropped:
        raise UnavailableError
    state, mark, base = document.log.merged(), document.writer.accepted, document.base
    typed_at, typist = document.typed_at, document.typist
    await document.writer.reached(mark)
    content = await _text(library, document, state)
    digest = base.file_hash if state is base.state else digest_of(content)
    size = len(content.encode())
    if digest == wanted.hash:
        return LiveText(digest, size)
    shown = None if digest == wanted.known else content
    return LiveText(digest, size, shown, typed_at, None if typist is None else UUID(typist))


async def _text(library: Library, document: Document, state: bytes) -> str:
    """The text of a state; the last one that was asked for is remembered."""
    known = document.shown
    if known is not None and known[0] is state:
        return known[1]
    try:
        content = await library.means.workshop.do(len(state), text_of, state)
    except SpoiledError as exc:
        # it is put aside when it is written back
        library.write_backs.soon(document)
        raise UnavailableError from exc
    document.shown = state, content
    return content


async def settle(library: Library, project_id: UUID, file_ids: Sequence[UUID] | None) -> int:
    """Write back some documents, or all that a project has; raises ``UnavailableError``."""
    wanted = set(file_ids or ())
    if file_ids is None:
        wanted.update(one.id for one in library.of_project(project_id))
        wanted.update(await _unwritten(library.means.db, project_id))
    settling = [_settled(library, project_id, file_id) for file_id in sorted(wanted)]
    return sum(await asyncio.gather(*settling))


async def _unwritten(db: Queries, project_id: UUID) -> list[UUID]:
    try:
        return await repository.unwritten(db, project_id)
    except UNREACHABLE as exc:
        raise UnavailableError from exc


async def _settled(library: Library, project_id: UUID, file_id: UUID) -> bool:
    try:
        await library.on(project_id, file_id, library.write_back)
    except NotFoundError:
        return False
    return True


async def state(library: Library, project_id: UUID, file_id: UUID) -> bytes:
    """Return a document whole, as one update; raises ``NotFoundError`` and ``UnavailableError``."""
    return (await library.by_id(project_id, file_id)).log.merged()


async def opened(library: Library, project_id: UUID, wanted: WantedOpen) -> Opened:
    """Return a document whole as of its last durable change, opening it if need be.

    Raises ``NotFoundError`` where there is no such text file, and ``UnavailableError``.
    """
    if wanted.file_id is None:
        document = await library.open((project_id, wanted.path or ""))
    else:
        document = await library.by_id(project_id, wanted.file_id)
    update, mark = document.log.merged(), document.writer.accepted
    await document.writer.reached(mark)
    return Opened(document.id, document.key[1], update)


async def is_another(library: Library, document: Document, clients: Sequence[int]) -> bool:
    """Whether a client's state, by whom it has text of, is that of another document.

    A file may be moved away, and another one made at its path, while an editor is offline: what
    that has is not to be merged into the new one. Raises ``UnavailableError``.
    """
    try:
        return await repository.is_seed(library.means.db, document.project_id, list(clients))
    except UNREACHABLE as exc:
        raise UnavailableError from exc


async def forget(tx: Queries, project_id: UUID) -> None:
    """Delete the documents of a project that is no more."""
    await repository.forget(tx, project_id)
