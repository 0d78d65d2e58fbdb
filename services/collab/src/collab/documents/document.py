"""A live document: its log, the peers that it is passed on to, and the way to what is durable."""

from collections.abc import Callable

from pycrdt import Doc, Text, TransactionEvent, get_state

from collab.documents.diff import Edit, edits
from collab.documents.relay import Relay
from collab.documents.types import Key, Stored
from collab.documents.writer import Append, Signals, Writer
from collab.settings import Settings
from collab.sockets.connection import Socket
from collab.yjs import messages, updates
from collab.yjs.awareness import Author, Awareness, Entry
from collab.yjs.log import ROOT, UpdateLog
from collab.yjs.varints import MalformedError


class TooLargeError(Exception):
    """The document would grow beyond what one may hold."""


class Document:
    """What everybody who has the document open shares. It lives in one event loop."""

    def __init__(
        self, key: Key, stored: Stored, settings: Settings, append: Append, signals: Signals
    ) -> None:
        self.id = stored.id
        self.key = key
        self.file_hash = stored.file_hash
        self.log = UpdateLog(stored.snapshot, *stored.updates)
        self.relay = Relay(settings.coalesce_s)
        self.awareness = Awareness(
            bytes_max=settings.awareness_bytes_max, clients_max=settings.awareness_clients_max
        )
        self.writer = Writer(settings, stored, append, signals)
        self.snapshot_seq = stored.snapshot_seq
        self.sockets: set[Socket] = set()
        self.is_dropped = False
        self._bytes_max = settings.document_state_bytes_max
        self._bytes = len(self.log.merged())

    def join(self, socket: Socket, *, may_write: bool) -> None:
        """Greet a peer: what is here, and (of who may change it) the question for what is not."""
        self.sockets.add(socket)
        self.relay.peers.add(socket)
        if may_write:
            socket.write(messages.step_1(self.log.state_vector))
        present = self.awareness.everybody()
        if present:
            socket.write(messages.awareness(present))

    def leave(self, socket: Socket, author: Author) -> None:
        """Let a peer go, and tell the others that its clients have."""
        self.sockets.discard(socket)
        self.relay.peers.discard(socket)
        self._tell(self.awareness.forget(author))

    def accept(self, update: bytes, actor: str, origin: Socket | None) -> int | None:
        """Take an update, pass it on, and have it made durable; return its mark.

        ``None`` where it holds nothing new. Raises ``MalformedError`` and ``TooLargeError``.
        """
        if update == updates.EMPTY:
            return None
        found = updates.contents(update)
        try:
            get_state(update)
        except ValueError:
            raise MalformedError("The update cannot be read.") from None
        if self.log.holds(found):
            return None
        if self._bytes + len(update) > self._bytes_max:
            raise TooLargeError
        self._bytes += len(update)
        self.log.append(update, found)
        self.relay.send(messages.update(update), origin)
        return self.writer.add(update, actor)

    def has(self, update: bytes) -> bool:
        """Whether the update would change nothing."""
        return self.log.holds(updates.contents(update))

    def answer(self, socket: Socket, state_vector: bytes, mark: int) -> None:
        """Answer a step 1 once ``mark`` is durable.

        So a peer that asks after it sent something knows by the answer that it is safe.
        """

        def respond() -> None:
            # what others were told already must not come after the answer as if it were new
            for frame in self.log.answer(state_vector):
                socket.write(frame)

        updates.state_vector(state_vector)
        self.writer.after(mark, respond)

    def hear(self, entries: list[Entry], author: Author) -> None:
        """Take in awareness, and tell everybody: its sender too, who takes silence for an end."""
        self._tell(self.awareness.learn(entries, author))

    def _tell(self, news: list[Entry]) -> None:
        if news:
            self.relay.send(messages.awareness(news), None)

    def become(self, text: str, actor: str) -> int | None:
        """Turn the document's text into ``text`` by the smallest change; return its mark."""
        doc = self.log.doc()
        content = doc.get(ROOT, type=Text)
        changes = edits(str(content), text)
        if not changes:
            return None
        return self.accept(_changed(doc, content, changes), actor, None)

    def snapshot(self) -> tuple[bytes, int]:
        """Return everything, and the last entry of the log that it surely contains."""
        data = self.log.snapshot()
        self._bytes = len(data)
        return data, self.writer.seq

    @property
    def was_edited(self) -> bool:
        """Whether anything was ever added to its first text."""
        return self.writer.seq > 0 or self.writer.accepted > 0

    def shut(self, code: int, reason: str) -> None:
        """Close every socket on this document."""
        for socket in tuple(self.sockets):
            socket.shut(code, reason)


def _changed(doc: "Doc[Text]", content: Text, changes: list[Edit]) -> bytes:
    """Make the changes in one transaction, from the back so that positions hold; return it."""
    made: list[bytes] = []
    before = str(content)
    offset = _byte_offsets(before)

    def keep(event: TransactionEvent) -> None:
        made.append(event.update)

    watching = doc.observe(keep)
    with doc.transaction(origin="rest"):
        for change in reversed(changes):
            start, end = offset(change.at), offset(change.at + change.removed)
            if end > start:
                del content[start:end]
            if change.inserted:
                content.insert(start, change.inserted)
    doc.unobserve(watching)
    return made[0]


def _byte_offsets(text: str) -> Callable[[int], int]:
    """The library counts a text in bytes of UTF-8."""
    if text.isascii():
        return int
    offsets = [0]
    for character in text:
        offsets.append(offsets[-1] + len(character.encode()))
    return offsets.__getitem__
