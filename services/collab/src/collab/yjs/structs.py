"""The structs of an update: runs of operations, walked to their ends and trusted in nothing."""

from collections.abc import Callable

from collab.yjs import varints
from collab.yjs.varints import MalformedError, read, read_bytes, read_count

_GC, _DELETED = 0, 1
STRING, SKIP = 4, 10
# what a text is made of; marks, embedded things and nested types are not in a file
_IN_TEXT = frozenset({_GC, _DELETED, STRING, SKIP})
_HAS_ORIGIN, _HAS_RIGHT_ORIGIN, _HAS_PARENT_KEY = 0x80, 0x40, 0x20
_NAMED_TYPES = (3, 5)
_TYPE_MAX = 6
_DEPTH_MAX = 64


def kind_of(update: bytes, at: int) -> int:
    """Return what kind of struct is at ``at``."""
    return update[at] & 0x1F


def walked(update: bytes, at: int, text: bytes | None = None) -> tuple[int, int]:
    """Return how many clock ticks the struct at ``at`` covers, and the position behind it.

    Raises ``MalformedError``; with ``text`` also for what could not be in the text of that name.
    """
    if at >= len(update):
        raise MalformedError("A struct is cut short.")
    info = update[at]
    kind = info & 0x1F
    at += 1
    if text is not None and kind not in _IN_TEXT:
        raise MalformedError("This cannot be in a text.")
    if kind in {_GC, SKIP}:
        return read(update, at)
    began, at = at, _place(update, at, info)
    if text is not None and not info & (_HAS_ORIGIN | _HAS_RIGHT_ORIGIN):
        parent = b"\x01" + varints.encode(len(text)) + text
        if update[began:at] != parent:
            raise MalformedError("This cannot be in a text.")
    reader = _CONTENT.get(kind)
    if reader is None:
        raise MalformedError("There is no such kind of content.")
    return reader(update, at)


def _place(update: bytes, at: int, info: int) -> int:
    """Return the position behind what says where an item belongs."""
    if info & _HAS_ORIGIN:
        at = _id(update, at)
    if info & _HAS_RIGHT_ORIGIN:
        at = _id(update, at)
    if not info & (_HAS_ORIGIN | _HAS_RIGHT_ORIGIN):
        at = _parent(update, at, has_key=bool(info & _HAS_PARENT_KEY))
    return at


def content_at(update: bytes, at: int) -> int:
    """Return where the content of the item at ``at`` begins."""
    return _place(update, at + 1, update[at])


def _id(update: bytes, at: int) -> int:
    _, at = read(update, at)
    _, at = read(update, at)
    return at


def _parent(update: bytes, at: int, *, has_key: bool) -> int:
    is_root, at = read(update, at)
    at = _string(update, at)[1] if is_root == 1 else _id(update, at)
    return _string(update, at)[1] if has_key else at


def _string(update: bytes, at: int) -> tuple[int, int]:
    """Return the length of a string as JavaScript counts it, and the position behind it."""
    raw, at = read_bytes(update, at)
    if raw.isascii():
        return len(raw), at
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise MalformedError("A string is not UTF-8.") from None
    return len(text.encode("utf-16-le")) // 2, at


def _many_strings(update: bytes, at: int) -> tuple[int, int]:
    count, at = read_count(update, at)
    for _ in range(count):
        at = _string(update, at)[1]
    return count, at


def _binary(update: bytes, at: int) -> tuple[int, int]:
    return 1, read_bytes(update, at)[1]


def _embed(update: bytes, at: int) -> tuple[int, int]:
    return 1, _string(update, at)[1]


def _format(update: bytes, at: int) -> tuple[int, int]:
    at = _string(update, at)[1]
    return 1, _string(update, at)[1]


def _type(update: bytes, at: int) -> tuple[int, int]:
    kind, at = read(update, at)
    if kind > _TYPE_MAX:
        raise MalformedError("There is no such shared type.")
    return 1, _string(update, at)[1] if kind in _NAMED_TYPES else at


def _many_values(update: bytes, at: int) -> tuple[int, int]:
    count, at = read_count(update, at)
    for _ in range(count):
        at = _value(update, at, 0)
    return count, at


def _subdocument(update: bytes, at: int) -> tuple[int, int]:
    at = _string(update, at)[1]
    return 1, _value(update, at, 0)


_CONTENT: dict[int, Callable[[bytes, int], tuple[int, int]]] = {
    1: read,
    2: _many_strings,
    3: _binary,
    4: _string,
    5: _embed,
    6: _format,
    7: _type,
    8: _many_values,
    9: _subdocument,
}
# undefined, null, float32, float64, bigint, false, true: how many bytes follow the tag
_FIXED = {127: 0, 126: 0, 124: 4, 123: 8, 122: 8, 121: 0, 120: 0}
_INTEGER, _TEXT, _OBJECT, _ARRAY, _BYTES = 125, 119, 118, 117, 116


def _value(update: bytes, at: int, depth: int) -> int:
    """Return the position behind the JSON-like value at ``at``."""
    if at >= len(update) or depth > _DEPTH_MAX:
        raise MalformedError("A value is cut short, or nested too deeply.")
    tag = update[at]
    at += 1
    if tag in _FIXED:
        return at + _FIXED[tag]
    if tag == _INTEGER:
        return read(update, at)[1]
    if tag in {_TEXT, _BYTES}:
        return read_bytes(update, at)[1]
    if tag not in {_OBJECT, _ARRAY}:
        raise MalformedError("There is no such kind of value.")
    count, at = read_count(update, at)
    for _ in range(count):
        if tag == _OBJECT:
            at = _string(update, at)[1]
        at = _value(update, at, depth + 1)
    return at
