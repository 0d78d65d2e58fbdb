"""Positions in a text that stay where they are meant while the text changes around them.

They are encoded as ``Y.encodeRelativePosition`` does it: the operation that a place stands before
(or, with a negative association, behind), or one of the text's ends.
"""

import re

import msgspec
from pycrdt import Assoc, StickyIndex, Text

from collab.yjs import updates, varints
from collab.yjs.log import ROOT, document_of
from collab.yjs.varints import MalformedError

_ITEM, _ROOT = 0, 1
_AFTER, _BEFORE = b"\x00", b"\x41"
_NEGATIVE = 0x40
_PANIC = "PanicException"
_WIDE = re.compile("[\U00010000-\U0010ffff]")


class Position(msgspec.Struct, frozen=True):
    """Before the operation ``clock`` of ``client``, or behind it; without one, an end of the text.

    Which end that is is said the other way round: what stands before everything that may come is
    the end of the text.
    """

    client: int | None
    clock: int
    is_behind: bool

    def encoded(self) -> bytes:
        """Encode it as Yjs does."""
        assoc = _BEFORE if self.is_behind else _AFTER
        if self.client is None:
            name = ROOT.encode()
            return bytes((_ROOT, len(name))) + name + assoc
        return bytes((_ITEM,)) + varints.encode(self.client) + varints.encode(self.clock) + assoc


def decoded(data: bytes) -> Position:
    """Decode a position in a document's text; raises ``MalformedError``."""
    kind, at = varints.read(data, 0)
    client, clock = None, 0
    if kind == _ITEM:
        client, at = varints.read(data, at)
        clock, at = varints.read(data, at)
    elif kind == _ROOT:
        name, at = varints.read_bytes(data, at)
        if name != ROOT.encode():
            raise MalformedError("This position is not in the document's text.")
    else:
        raise MalformedError("There is no such kind of position.")
    if len(data) > at + 1:
        raise MalformedError("There are bytes behind the position.")
    return Position(client, clock, len(data) > at and bool(data[at] & _NEGATIVE))


class Places:
    """Where positions are in one state of a document, counted as JavaScript counts text.

    The CRDT library counts in bytes, and mixes that up with the clocks of operations, which count
    as JavaScript does. So where a text is more than ASCII it is given the same operations with
    other characters: each unit of the text is one byte there, and both counts are one.
    """

    def __init__(self, update: bytes) -> None:
        doc = document_of(update)
        if not str(doc.get(ROOT, type=Text)).isascii():
            doc = document_of(_twin(update))
        self._known = updates.state_vector(doc.get_state())
        self._text = doc.get(ROOT, type=Text)
        # only its length and its line breaks are surely the text's own
        self._units = str(self._text)

    @property
    def length(self) -> int:
        """How long the text is."""
        return len(self._units)

    def line(self, index: int) -> int:
        """Return the line, counted from 1, that a place is in."""
        return self._units.count("\n", 0, index) + 1

    def line_at(self, line: int) -> tuple[int, int] | None:
        """Return where a line begins and ends, without its break; ``None`` if there is none."""
        start = 0
        for _ in range(line - 1):
            start = self._units.find("\n", start) + 1
            if not start:
                return None
        end = self._units.find("\n", start)
        return start, len(self._units) if end < 0 else end

    def at(self, index: int, *, is_behind: bool) -> Position:
        """Return the position of a place: before the next character, or behind the last one."""
        if index <= 0 if is_behind else index >= self.length:
            return Position(None, 0, is_behind)
        assoc = Assoc.BEFORE if is_behind else Assoc.AFTER
        return decoded(self._text.sticky_index(index, assoc).encode())

    def index(self, position: Position) -> int | None:
        """Return where a position is now; ``None`` where the document does not have it."""
        if position.client is None:
            return 0 if position.is_behind else self.length
        if position.clock >= self._known.get(position.client, 0):
            return None
        try:
            found = StickyIndex.decode(position.encoded(), self._text).get_index()
        except BaseException as exc:
            # the library panics where an operation is there, and nothing is left of it
            if type(exc).__name__ == _PANIC:
                return None
            raise
        return min(found, self.length)


def _twin(update: bytes) -> bytes:
    """Return the same operations on a text of ASCII."""
    parts: list[bytes] = []
    done = 0
    for start, end in updates.strings(update):
        raw, _ = varints.read_bytes(update, start)
        if not raw.isascii():
            units = _WIDE.sub("??", raw.decode()).encode("ascii", "replace")
            parts += (update[done:start], varints.encode(len(units)), units)
            done = end
    return b"".join((*parts, update[done:]))
