"""A live document: its log, the peers that it is passed on to, and the way to what is durable."""

import asyncio
import hashlib
import time
from datetime import UTC, datetime
from uuid import UUID

from pycrdt import get_state, merge_updates

from collab.documents.asked import Asked, Base
from collab.documents.relay import Relay
from collab.documents.types import Key, Stored
from collab.documents.writer import Append, Signals, Writer
from collab.settings import Settings
from collab.sockets.endpoint import Endpoint
from collab.yjs import messages, updates
from collab.yjs.awareness import Author, Awareness, Entry
from collab.yjs.log import ROOT, UpdateLog
from collab.yjs.varints import MalformedError


class TooLargeError(Exception):
    """The document would grow beyond what one may hold."""


def digest_of(text: str) -> str:
    """The hash of a file with this text: SHA-256, lower-case hex."""
    return hashlib.sha256(text.encode()).hexdigest()


class Document:
    """What everybody who has the document open shares. It lives in one event loop.

    ``base`` is where the file is; what the log has beyond it was typed, and waits to be written
    back. Whoever moves ``base`` holds ``lock``.
    """

    def __init__(
        self,
        key: Key,
        stored: Stored,
        flushed_seq: int,
        settings: Settings,
        append: Append,
        signals: Signals,
    ) -> None:
        self.id = stored.id
        self.seed = stored.seed
        self.key = key
        self.log = UpdateLog(stored.snapshot, *stored.updates)
        self.base = _base(stored, max(stored.written_seq, flushed_seq), self.log)
        self.relay = Relay(settings.coalesce_s)
        self.awareness = Awareness(
            bytes_max=settings.awareness_bytes_max, clients_max=settings.awareness_clients_max
        )
        self.writer = Writer(
            settings,
            append,
            signals,
            seq=stored.seq,
            rows=len(stored.updates),
            size=sum(map(len, stored.updates)),
        )
        self.lock = asyncio.Lock()
        self.sockets: set[Endpoint] = set()
        self._writers: set[Endpoint] = set()
        self.ended = asyncio.Event()
        # the project, or the file, could not hold more than was typed
        self.is_full = False
        self.typists = _typists(stored, flushed_seq)
        # as of which entry this is noted here
        self.noted_seq = stored.written_seq
        self.asked = Asked(max(stored.written_seq, flushed_seq))
        # the last of them, and when
        self.typist = next(reversed(self.typists), None)
        self.typed_at = datetime.now(UTC)
        # the text of the state that was last asked for
        self.shown: tuple[bytes, str] | None = None
        self.touched_s = time.monotonic()
        self._bytes_max = settings.document_state_bytes_max
        self._bytes = len(self.log.merged())

    @property
    def is_dropped(self) -> bool:
        """Whether this is not the document any more."""
        return self.ended.is_set()

    @property
    def project_id(self) -> UUID:
        """The project that it is of."""
        return self.key[0]

    def join(self, socket: Endpoint, *, may_write: bool) -> None:
        """Greet a peer: what is here, and (of who may change it) the question for what is not."""
        self.sockets.add(socket)
        self.relay.audience.add(socket)
        if may_write:
            self._writers.add(socket)
            socket.write(messages.step_1(self.log.state_vector))
        present = self.awareness.everybody()
        if present:
            socket.write(messages.awareness(present))

    def leave(self, socket: Endpoint, author: Author) -> None:
        """Let a peer go, and tell the others that its clients have."""
        self.sockets.discard(socket)
        self._writers.discard(socket)
        self.relay.audience.discard(socket)
        self._tell(self.awareness.forget(author))

    def accept(self, update: bytes, actor: str, origin: Endpoint | None) -> int:
        """Take an update, pass it on, and have it made durable; return its mark.

        What is known already may not be durable yet: its mark is that of everything so far. Raises
        ``MalformedError`` and ``TooLargeError``.
        """
        if update == updates.EMPTY:
            return self.writer.accepted
        found = updates.contents(update, ROOT)
        try:
            get_state(update)
        except ValueError:
            raise MalformedError("The update cannot be read.") from None
        if self.log.holds(found):
            return self.writer.accepted
        # what deletes makes a document smaller, in the end
        bytes_max = self._bytes_max if found.operations else 2 * self._bytes_max
        if self._bytes + len(update) > bytes_max:
            raise TooLargeError
        self._take(update, found, origin)
        self.typists[actor] = None
        self.typist = actor
        self.typed_at = datetime.now(UTC)
        return self.writer.add(update, actor)

    def _take(self, update: bytes, found: updates.Contents, origin: Endpoint | None) -> None:
        self._bytes += len(update)
        self.touched_s = time.monotonic()
        self.log.append(update, found)
        self.relay.send(messages.update(update), origin)

    async def take_in(self, update: bytes, actor: str, file_hash: str) -> None:
        """Let a content of the file in, by the change that makes it of ``base``.

        Nobody sees the change before it is durable: who comes after a crash would make another one
        of the same content, and somebody's copy of this one would bring the content in twice.
        """
        mark = self.writer.add(update, actor, file_hash)
        arrived = asyncio.Event()

        def let_in() -> None:
            is_clean = self.is_clean
            self._take(update, updates.contents(update), None)
            state = self.log.merged() if is_clean else merge_updates(self.base.state, update)
            self.base = Base(state, file_hash)
            arrived.set()

        self.writer.after(mark, let_in)
        ended = asyncio.create_task(self.ended.wait())
        waiting = asyncio.create_task(arrived.wait())
        try:
            await asyncio.wait({ended, waiting}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.cancel()
            waiting.cancel()

    @property
    def is_clean(self) -> bool:
        """Whether the file has everything."""
        return self.log.merged() is self.base.state

    def refuses(self, update: bytes) -> bool:
        """Whether the update adds to what is full already; to delete is always possible."""
        return self.is_full and bool(updates.contents(update).operations)

    def has(self, update: bytes) -> bool:
        """Whether the update would change nothing."""
        return self.log.holds(updates.contents(update))

    def answer(self, socket: Endpoint, state_vector: bytes, mark: int) -> None:
        """Answer a step 1 once ``mark`` is durable.

        So a peer that asks after it sent something knows by the answer that it is safe.
        """

        def respond() -> None:
            # what others were told already must not come after the answer as if it were new
            for frame in self.log.answer(state_vector):
                socket.write(frame)

        updates.state_vector(state_vector)
        self.writer.after(mark, respond)

    def may_write(self, socket: Endpoint, *, may: bool) -> None:
        """Note whether a peer may change the document from now on."""
        if may:
            self._writers.add(socket)
        else:
            self._writers.discard(socket)

    def ask_all(self) -> None:
        """Ask who may write for what they have and this has not: it was refused."""
        for socket in tuple(self._writers):
            socket.write(messages.step_1(self.log.state_vector))

    def hear(self, entries: list[Entry], author: Author) -> None:
        """Take in awareness, and tell everybody: its sender too, who takes silence for an end."""
        self._tell(self.awareness.learn(entries, author))

    def _tell(self, news: list[Entry]) -> None:
        if news:
            self.relay.send(messages.awareness(news), None)

    def shrink(self, state: bytes, smaller: bytes) -> None:
        """Go on from ``smaller``, which says the same as ``state``."""
        self.log.replace(state, smaller)
        if self.base.state is state:
            self.base = Base(smaller, self.base.file_hash)
        self._bytes = min(self._bytes, len(self.log.merged()))

    def shut(self, code: int, reason: str) -> None:
        """Close every socket on this document."""
        for socket in tuple(self.sockets):
            socket.shut(code, reason)


def _base(stored: Stored, written_seq: int, log: UpdateLog) -> Base:
    """Where the file is: what it got whole, and what came from it since.

    Without the hash where only the text would tell it.
    """
    entries = list(zip(stored.seqs, stored.updates, stored.file_hashes, strict=True))
    kept = [data for seq, data, of in entries if seq <= written_seq or of or data == updates.EMPTY]
    is_all = len(kept) == len(entries)
    state = log.merged() if is_all else merge_updates(stored.snapshot, *kept)
    came = [of for seq, _, of in entries if seq > written_seq and of]
    if came:
        return Base(state, came[-1])
    if written_seq == stored.written_seq:
        return Base(state, stored.file_hash)
    # the file got more than was noted here: its hash is the text's
    return Base(state, "")


def _typists(stored: Stored, flushed_seq: int) -> dict[str, None]:
    """Who typed what the file has not got."""
    written_seq = max(stored.written_seq, flushed_seq)
    entries = zip(stored.seqs, stored.updates, stored.actors, stored.file_hashes, strict=True)
    found = [
        actors
        for seq, data, actors, of in entries
        # an empty entry is a process's, which ends another's log with it
        if seq > written_seq and not of and actors and data != updates.EMPTY
    ]
    return dict.fromkeys(name for actors in found for name in actors.split(","))
