"""What an update (Yjs's first encoding) speaks of: which operations, and which deletions.

Every update from outside is walked to its end before anything else touches it: the CRDT library
trusts counts and lengths, and would make room for billions of things that a frame only claims.
"""

from collections.abc import Callable, Iterator

import msgspec

from collab.yjs import varints
from collab.yjs.varints import MalformedError, read, read_bytes, read_count

EMPTY = b"\x00\x00"

type Range = tuple[int, int, int]


class Contents(msgspec.Struct, frozen=True):
    """Ranges of operations and of deletions, each a client's from one clock until another."""

    operations: list[Range]
    deletions: list[Range]


_GC, _STRING, _SKIP = 0, 4, 10
_HAS_ORIGIN, _HAS_RIGHT_ORIGIN, _HAS_PARENT_KEY = 0x80, 0x40, 0x20
_NAMED_TYPES = (3, 5)
_TYPE_MAX = 6
_DEPTH_MAX = 64
_CLIENT_MAX = 2**53 - 1
_CLOCK_MAX = 2**31 - 1


def contents(update: bytes) -> Contents:
    """Walk ``update``; raises ``MalformedError``."""
    operations: list[Range] = []
    clients, at = read_count(update, 0)
    for _ in range(clients):
        at = _client(update, at, operations)
    deletions, at = _deletions(update, at)
    if at != len(update):
        raise MalformedError("There are bytes behind the update.")
    return Contents(operations, deletions)


def _client(update: bytes, at: int, operations: list[Range]) -> int:
    count, at = read_count(update, at)
    client, at = read(update, at)
    clock, at = read(update, at)
    began = clock
    for _ in range(count):
        is_gap = update[at : at + 1] == b"\x0a"
        length, at = _struct(update, at)
        if is_gap:
            if clock > began:
                operations.append((client, began, clock))
            began = clock + length
        clock += length
    if clock > began:
        operations.append((client, began, clock))
    if client > _CLIENT_MAX or clock > _CLOCK_MAX:
        raise MalformedError("A client or a clock is out of range.")
    return at


def _struct(update: bytes, at: int) -> tuple[int, int]:
    """Return how many clock ticks the struct at ``at`` covers, and the position behind it."""
    if at >= len(update):
        raise MalformedError("A struct is cut short.")
    info = update[at]
    kind = info & 0x1F
    at += 1
    if kind in {_GC, _SKIP}:
        return read(update, at)
    if info & _HAS_ORIGIN:
        at = _id(update, at)
    if info & _HAS_RIGHT_ORIGIN:
        at = _id(update, at)
    if not info & (_HAS_ORIGIN | _HAS_RIGHT_ORIGIN):
        at = _parent(update, at, has_key=bool(info & _HAS_PARENT_KEY))
    reader = _CONTENT.get(kind)
    if reader is None:
        raise MalformedError("There is no such kind of content.")
    return reader(update, at)


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


def _deletions(update: bytes, at: int) -> tuple[list[Range], int]:
    found: list[Range] = []
    clients, at = read_count(update, at)
    for _ in range(clients):
        client, at = read(update, at)
        count, at = read_count(update, at)
        for _ in range(count):
            clock, at = read(update, at)
            length, at = read(update, at)
            found.append((client, clock, clock + length))
    return found, at


def state_vector(data: bytes) -> dict[int, int]:
    """Decode a state vector: how much of each client is known; raises ``MalformedError``."""
    count, at = read_count(data, 0)
    known: dict[int, int] = {}
    for _ in range(count):
        client, at = read(data, at)
        known[client], at = read(data, at)
    return known


def encode_state_vector(known: dict[int, int]) -> bytes:
    """Encode a state vector."""
    pairs = [varints.encode(c) + varints.encode(clock) for c, clock in known.items()]
    return varints.encode(len(pairs)) + b"".join(pairs)


def covers(known: list[Range], wanted: list[Range]) -> bool:
    """Whether every deletion of ``wanted`` is among the known ones."""
    by_client: dict[int, list[tuple[int, int]]] = {}
    for client, start, end in sorted(known):
        spans = by_client.setdefault(client, [])
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    return all(
        any(s <= start and end <= e for s, e in by_client.get(client, ()))
        for client, start, end in wanted
    )


def strings(update: bytes) -> Iterator[tuple[int, int]]:
    """Yield from where to where each piece of text lies in an update."""
    clients, at = read_count(update, 0)
    for _ in range(clients):
        count, at = read_count(update, at)
        _, at = read(update, at)
        _, at = read(update, at)
        for _ in range(count):
            is_text, began = update[at] & 0x1F == _STRING, at
            _, at = _struct(update, at)
            if is_text:
                yield _content_at(update, began), at


def _content_at(update: bytes, at: int) -> int:
    """Return where the content of the item at ``at`` begins."""
    info = update[at]
    at += 1
    if info & _HAS_ORIGIN:
        at = _id(update, at)
    if info & _HAS_RIGHT_ORIGIN:
        at = _id(update, at)
    if not info & (_HAS_ORIGIN | _HAS_RIGHT_ORIGIN):
        at = _parent(update, at, has_key=bool(info & _HAS_PARENT_KEY))
    return at
