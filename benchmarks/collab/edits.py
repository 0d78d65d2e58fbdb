"""What people type, as Yjs updates that are encoded before the clock runs."""

import random
import re
import string

from pycrdt import Doc, Text

from benchmarks.collab import wire
from collab.yjs import varints

ROOT = "content"
# Three characters that no message has but in its text: in the numbers before a text at most two
# bytes follow each other that could be among them. So words are counted in what comes as it comes.
_MARK = "{#}"
_LETTERS = string.ascii_letters + string.digits + "-_"
WORD = re.compile(rb"\{#\}([A-Za-z0-9_-]{4})")
WORD_BYTES = len(_MARK) + 4
TYPISTS_MAX = len(_LETTERS)
# as long, encoded, as the ids that Yjs rolls
_FIRST_CLIENT = 0x9A3C_0000

_STRING, _STRING_BEHIND = 0x04, 0x84
_ROOT_NAMED = bytes((1, len(ROOT))) + ROOT.encode()


class Typist:
    """One client of a document, who goes on and on at the same place, a short word at a time."""

    def __init__(self, number: int) -> None:
        self._client = varints.encode(_FIRST_CLIENT + number)
        self._letter = _LETTERS[number]
        self.typed = 0

    def next(self) -> tuple[bytes, bytes]:
        """Return the next word's name, and the update that brings it."""
        name = self._name(self.typed)
        clock = self.typed * WORD_BYTES
        self.typed += 1
        word = _MARK.encode() + name
        head = b"\x01\x01" + self._client + varints.encode(clock)
        if clock:
            origin = self._client + varints.encode(clock - 1)
            body = bytes((_STRING_BEHIND,)) + origin
        else:
            body = bytes((_STRING,)) + _ROOT_NAMED
        return name, head + body + varints.encode(len(word)) + word + b"\x00"

    def _name(self, number: int) -> bytes:
        high, low = divmod(number, TYPISTS_MAX)
        higher, high = divmod(high, TYPISTS_MAX)
        return f"{self._letter}{_LETTERS[higher]}{_LETTERS[high]}{_LETTERS[low]}".encode()

    def text(self) -> str:
        """Return everything that was typed so far."""
        return "".join(_MARK + self._name(number).decode() for number in range(self.typed))


def text_of(*updates: bytes) -> str:
    """Return the text that the updates make."""
    doc: Doc[Text] = Doc()
    for update in updates:
        doc.apply_update(update)
    return str(doc.get(ROOT, type=Text))


def seeded(text: str) -> bytes:
    """Return a document that begins with a text."""
    doc: Doc[Text] = Doc(client_id=1)
    doc.get(ROOT, type=Text).insert(0, text)
    return doc.get_update()


def source(size: int) -> str:
    """Return about this much of a program."""
    lines = [
        f"export const value{n} = {n * 7919 % 10_000} // line {n}\n" for n in range(size // 30)
    ]
    return "".join(lines)[:size]


_TYPED_MAX, _DELETED_MAX = 20, 4
_KEYS = "etaoin shrdlu(){};\n"
_AUTHOR = varints.encode(_FIRST_CLIENT + TYPISTS_MAX)
_HAS_LEFT, _HAS_RIGHT = 0x80, 0x40


class _Writer:
    """Somebody who jumps to a place, types for a while, sometimes deletes, and jumps again."""

    def __init__(self) -> None:
        self._chance = random.Random(5)  # noqa: S311 - test data, not a secret
        # each character that is there, and its id
        self.text: list[str] = []
        self._ids: list[int] = []
        self._clock = 0

    def write(self, edits: int) -> bytes:
        """Make about so many edits of a character each; return the update that they are."""
        began, structs, gone = self._clock, [], []
        while edits > 0:
            at = self._chance.randrange(len(self.text) + 1)
            typed = self._chance.choices(_KEYS, k=self._chance.randint(1, _TYPED_MAX))
            structs.append(self._type(at, typed))
            at += len(typed)
            first = max(0, at - self._chance.choice((0, self._chance.randint(1, _DELETED_MAX))))
            gone += self._ids[first:at]
            edits -= len(typed) + at - first
            del self._ids[first:at], self.text[first:at]
        head = b"\x01" + varints.encode(len(structs)) + _AUTHOR + varints.encode(began)
        return head + b"".join(structs) + _deletions(gone)

    def _type(self, at: int, typed: list[str]) -> bytes:
        info, around = _STRING, b""
        if at:
            info |= _HAS_LEFT
            around = _AUTHOR + varints.encode(self._ids[at - 1])
        if at < len(self._ids):
            info |= _HAS_RIGHT
            around += _AUTHOR + varints.encode(self._ids[at])
        raw = "".join(typed).encode()
        self.text[at:at] = typed
        self._ids[at:at] = range(self._clock, self._clock + len(typed))
        self._clock += len(typed)
        return bytes((info,)) + (around or _ROOT_NAMED) + varints.encode(len(raw)) + raw


def _deletions(ids: list[int]) -> bytes:
    if not ids:
        return b"\x00"
    ranges = [varints.encode(one) + b"\x01" for one in sorted(ids)]
    return b"\x01" + _AUTHOR + varints.encode(len(ranges)) + b"".join(ranges)


def history(edits: int, each: int) -> tuple[list[bytes], str]:
    """Return so many edits, ``each`` of them in an update, and the text that they make."""
    writer = _Writer()
    return [writer.write(each) for _ in range(edits // each)], "".join(writer.text)


def update_frame(dialect: wire.Dialect, document: str, update: bytes) -> bytes:
    """Put an update into the frame that brings it to a server."""
    return wire.framed(dialect.wrapped(document, wire.sync(wire.UPDATE, update)))
