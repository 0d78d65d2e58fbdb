"""A document as its log: updates are kept and passed on as they came, and merged when it pays.

No CRDT lives in memory between calls. One is made where the text itself is needed.
"""

from pycrdt import Doc, Text, get_state, get_update, merge_updates

from collab.yjs import messages, updates
from collab.yjs.updates import EMPTY, Contents

ROOT = "content"
_TAIL_UPDATES_MAX = 256
_TAIL_BYTES_MIN = 65_536
_NOTHING = b"\x00"


class UpdateLog:
    """``base`` is everything up to some moment, merged; ``tail`` is what came since."""

    __slots__ = (
        "_base",
        "_base_frame",
        "_deletions",
        "_known",
        "_tail",
        "_tail_bytes",
        "_torn",
        "_vector",
    )

    def __init__(self, *history: bytes) -> None:
        kept = [update for update in history if update != EMPTY]
        self._base = merge_updates(*kept) if kept else EMPTY
        self._tail: list[bytes] = []
        self._tail_bytes = 0
        self._base_frame: bytes | None = None
        self._deletions: list[updates.Range] | None = None
        self._vector: bytes | None = None
        self._known = updates.state_vector(get_state(self._base))
        # of whom something came whose forerunners did not: up to where they are missing
        self._torn: dict[int, int] = {}

    def append(self, update: bytes, contents: Contents) -> None:
        """Add an update whose contents were looked at."""
        self._tail.append(update)
        self._tail_bytes += len(update)
        known = self._known
        for client, start, end in contents.operations:
            if start > known.get(client, 0):
                self._torn[client] = max(start, self._torn.get(client, 0))
            # behind a gap nothing counts as known: a peer is rather asked twice than not at all
            if start <= known.get(client, 0) < end:
                known[client] = end
        self._vector = None
        self._deletions = None
        if len(self._tail) > _TAIL_UPDATES_MAX:
            self._merge_tail()
        if self._tail_bytes > max(_TAIL_BYTES_MIN, len(self._base) // 4):
            self.merged()

    def holds(self, contents: Contents) -> bool:
        """Whether an update with these contents would change nothing."""
        known = self._known
        if any(end > known.get(client, 0) for client, _, end in contents.operations):
            return False
        if not contents.deletions:
            return True
        if self._deletions is None:
            everything = self.merged()
            rest = get_update(everything, get_state(everything))
            self._deletions = updates.contents(rest).deletions
        return updates.covers(self._deletions, contents.deletions)

    @property
    def is_torn(self) -> bool:
        """Whether something is missing before what came."""
        return any(self._known.get(client, 0) < start for client, start in self._torn.items())

    @property
    def state_vector(self) -> bytes:
        """How much of each client is here."""
        if self._vector is None:
            self._vector = updates.encode_state_vector(self._known)
        return self._vector

    def answer(self, state_vector: bytes) -> list[bytes]:
        """Return the frames that bring a peer with ``state_vector`` into sync.

        The tail goes first, so that everything is there when step 2 says that the peer is in sync.
        """
        if self._base == EMPTY:
            self.merged()
        frames = [messages.update(self._merge_tail())] if self._tail else []
        if state_vector in {_NOTHING, b""}:
            if self._base_frame is None:
                self._base_frame = messages.step_2(self._base)
            return [*frames, self._base_frame]
        updates.state_vector(state_vector)
        return [*frames, messages.step_2(get_update(self._base, state_vector))]

    def merged(self) -> bytes:
        """Return everything as one update."""
        if self._tail:
            tail = self._merge_tail()
            self._base = tail if self._base == EMPTY else merge_updates(self._base, tail)
            self._tail, self._tail_bytes = [], 0
            self._base_frame = None
        return self._base

    def _merge_tail(self) -> bytes:
        if len(self._tail) > 1:
            self._tail = [merge_updates(*self._tail)]
            self._tail_bytes = len(self._tail[0])
        return self._tail[0]

    def replace(self, everything: bytes, smaller: bytes) -> None:
        """Go on from ``smaller``, which says the same, if ``everything`` still is all there is."""
        if not self._tail and self._base is everything:
            self._base, self._base_frame = smaller, None


def compacted(everything: bytes) -> bytes:
    """Say the same in as little as possible.

    A CRDT joins runs of typing and forgets deleted text; but what still waits for something that
    it builds upon is not part of its answer, and then the merged log stays as it is.
    """
    doc = document_of(everything)
    small = doc.get_update()
    missing = updates.contents(get_update(everything, doc.get_state()))
    kept = updates.contents(small).deletions
    if missing.operations or not updates.covers(kept, missing.deletions):
        return everything
    return small if len(small) < len(everything) else everything


def document_of(state: bytes) -> "Doc[Text]":
    """Make a document of its state, as every implementation shows it."""
    doc: Doc[Text] = Doc()
    doc.apply_update(state)
    if get_update(state, doc.get_state())[0]:
        # something waits for what is missing: perhaps not in this library
        doc = Doc()
        doc.apply_update(updates.without_gaps(state))
    return doc


def text_of(state: bytes) -> str:
    """The text of a document in this state."""
    return str(document_of(state).get(ROOT, type=Text))


def seeded(text: str, client_id: int) -> bytes:
    """Return the first update of a document that begins with ``text``."""
    doc: Doc[Text] = Doc(client_id=client_id)
    content = doc.get(ROOT, type=Text)
    # also of no text there is something to be known by
    content += text or " "
    if not text:
        content.clear()
    return doc.get_update()
