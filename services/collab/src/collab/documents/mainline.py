"""How a document and its file follow each other.

The file is the main line, the document a branch of it that always rebases: what was typed is
written back by compare-and-swap, and what came into the file by another way is taken in as a
change of the state that the file was. Each of these holds the document's lock.
"""

from uuid import UUID

from collab.documents import repository
from collab.documents.asked import Base
from collab.documents.document import Document, digest_of
from collab.documents.means import Means
from collab.documents.rebase import rebased
from collab.documents.types import LiveFile
from collab.peers import UnsentError
from collab.yjs.log import compacted, text_of
from common.caller import NOBODY
from common.errors import UnavailableError

_ATTEMPTS = 8


class GoneError(Exception):
    """The file is no text file any more, or the project is not there."""


class NoTextError(GoneError):
    """The file is there, and is no text, or too much of it."""


class FencedError(Exception):
    """Another process has the project now."""


class FullError(Exception):
    """The project cannot hold what was typed."""


_REFUSALS: dict[str, type[Exception]] = {
    "fenced": FencedError,
    "full": FullError,
    "gone": GoneError,
}


async def write_back(
    means: Means, document: Document, *, hold: bool = False, rows_max: int | None = None
) -> None:
    """Let the file have everything that was accepted so far.

    With ``hold`` nothing that comes later is acknowledged before the writer goes on. A log of more
    than ``rows_max`` entries, or one that is long, becomes a snapshot. Raises
    ``UnavailableError``, ``GoneError``, ``FencedError``, ``FullError`` and
    ``SpoiledError``.
    """
    for _ in range(_ATTEMPTS):
        # both without a pause between them: the entry ends where the state does
        state, typists = document.log.merged(), list(document.typists)
        document.typists.clear()
        try:
            seq = await document.writer.seal(hold=hold)
            is_clean = state is document.base.state
            written = None if is_clean else _written(means, document, state, seq, typists)
            base = document.base if written is None else await written
            if base is not None:
                await _note(means, document, base, seq, rows_max)
                return
        except BaseException:
            document.typists = dict.fromkeys([*typists, *document.typists])
            raise
        document.typists = dict.fromkeys([*typists, *document.typists])
        # what the file is now is written behind what was typed
        document.writer.go_on()
        await catch_up(means, document)
    raise UnavailableError


async def _written(
    means: Means, document: Document, state: bytes, seq: int, typists: list[str]
) -> Base | None:
    """Write a state's text, and return it; ``None`` where the file is not what it was taken for."""
    text = await means.workshop.do(len(state), text_of, state)
    base = Base(state, digest_of(text))
    if base.file_hash != document.base.file_hash:
        epoch = means.leases.epoch(document.project_id)
        if epoch is None or not document.asked.may_ask():
            raise UnavailableError
        document.asked.ask(seq, base)
        try:
            answer = await means.projects.write(
                document.project_id,
                document.id,
                epoch,
                seq,
                expected=document.base.file_hash,
                content=text,
                actors=typists or [str(NOBODY)],
            )
        except UnsentError:
            document.asked.answered(seq)
            raise
        document.asked.answered(seq)
        if answer.verdict == "stale":
            return None
        if answer.verdict not in {"written", "unchanged"}:
            raise _REFUSALS.get(answer.verdict, GoneError)
        was_full = document.is_full
        document.is_full = answer.is_full or len(text.encode()) > means.settings.document_bytes_max
        if was_full and not document.is_full:
            document.ask_all()
    document.asked.reached(seq)
    document.base = base
    return base


async def _note(
    means: Means, document: Document, base: Base, seq: int, rows_max: int | None
) -> None:
    """Remember how far the file is; a long log becomes a snapshot on the way."""
    writer = document.writer
    is_long = writer.is_long or (rows_max is not None and writer.holds_more_than(rows_max))
    if seq == document.noted_seq and not is_long:
        return
    snapshot = None
    if is_long:
        snapshot = await means.workshop.do(len(base.state), compacted, base.state)
    await repository.wrote(means.db, document.id, seq, base.file_hash, snapshot)
    document.noted_seq = seq
    if snapshot is not None:
        document.writer.compacted()
        document.shrink(base.state, snapshot)


async def catch_up(means: Means, document: Document) -> LiveFile:
    """Look at the file, and take in what it has become.

    Raises ``GoneError`` where it is no text file any more, ``SpoiledError`` and
    ``UnavailableError``.
    """
    known = {document.id: document.base.file_hash}
    file = (await means.projects.look(document.project_id, known))[0]
    await take_in(means, document, file)
    return file


async def begin(means: Means, document: Document, file: LiveFile) -> None:
    """Let a document that was just loaded take in what its file is; raises as ``catch_up``."""
    base = document.base
    if not base.file_hash:
        text = await means.workshop.do(len(base.state), text_of, base.state)
        document.base = Base(base.state, digest_of(text))
    await take_in(means, document, file)


async def take_in(means: Means, document: Document, file: LiveFile) -> None:
    """Take in what the file is, as somebody saw it while holding the document's lock."""
    if file.path is None or file.hash is None:
        raise GoneError
    if not file.is_text:
        raise NoTextError
    if file.flushed_seq > document.asked.reached_seq:
        # a write-back arrived whose answer did not
        base = document.asked.reached(file.flushed_seq)
        if base is None:
            raise FencedError
        document.base = base
    if file.hash == document.base.file_hash:
        return
    if file.content is None:
        # it is what was known before that write-back
        known = {document.id: document.base.file_hash}
        file = (await means.projects.look(document.project_id, known))[0]
    if file.hash is None or file.content is None:
        raise UnavailableError
    await _let_in(means, document, file.content, file.hash, file.actor_id)


async def _let_in(
    means: Means, document: Document, content: str, digest: str, actor: UUID | None
) -> None:
    base = document.base
    size = len(base.state) + len(content)
    update = await means.workshop.do(size, rebased, base.state, content)
    if update is None:
        document.base = Base(base.state, digest)
        return
    await document.take_in(update, "" if actor is None else str(actor), digest)
    if document.is_dropped:
        raise UnavailableError
