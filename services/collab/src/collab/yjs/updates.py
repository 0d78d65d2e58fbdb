"""What an update (Yjs's first encoding) speaks of: which operations, and which deletions.

Every update from outside is walked to its end before anything else touches it: the CRDT library
trusts counts and lengths, and would make room for billions of things that a frame only claims.
"""

from bisect import bisect_right
from collections.abc import Iterator
from operator import itemgetter

import msgspec

from collab.yjs import varints
from collab.yjs.structs import SKIP, STRING, content_at, kind_of, walked
from collab.yjs.varints import MalformedError, read, read_count

EMPTY = b"\x00\x00"

type Range = tuple[int, int, int]


class Contents(msgspec.Struct, frozen=True):
    """Ranges of operations and of deletions, each a client's from one clock until another."""

    operations: list[Range]
    deletions: list[Range]


_CLIENT_MAX = 2**53 - 1
_CLOCK_MAX = 2**31 - 1


def contents(update: bytes, text: str | None = None) -> Contents:
    """Walk ``update``; raises ``MalformedError``.

    With ``text``, also for whatever could not be in the text of that name: a document that holds
    something else has no content as a file.
    """
    operations: list[Range] = []
    name = None if text is None else text.encode()
    clients, at = read_count(update, 0)
    for _ in range(clients):
        at = _client(update, at, operations, name)
    deletions, at = _deletions(update, at)
    if at != len(update):
        raise MalformedError("There are bytes behind the update.")
    return Contents(operations, deletions)


def _client(update: bytes, at: int, operations: list[Range], text: bytes | None) -> int:
    count, at = read_count(update, at)
    client, at = read(update, at)
    clock, at = read(update, at)
    began = clock
    for _ in range(count):
        is_gap = at < len(update) and kind_of(update, at) == SKIP
        length, at = walked(update, at, text)
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
    return all(_is_within(by_client.get(client, []), start, end) for client, start, end in wanted)


def _is_within(spans: list[tuple[int, int]], start: int, end: int) -> bool:
    """Whether one of the spans, which are in order and apart, has the range."""
    found = bisect_right(spans, start, key=itemgetter(0)) - 1
    return found >= 0 and end <= spans[found][1]


def without_gaps(update: bytes) -> bytes:
    """Leave out whatever of a client stands behind something of it that is missing.

    Yjs lets that wait; the CRDT library here would show it. ``update`` is a whole document.
    """
    kept: list[bytes] = []
    clients, at = read_count(update, 0)
    for _ in range(clients):
        count, at = read_count(update, at)
        client, at = read(update, at)
        clock, at = read(update, at)
        began = end = at
        number, is_whole = 0, clock == 0
        for _ in range(count):
            is_whole = is_whole and kind_of(update, at) != SKIP
            at = walked(update, at)[1]
            if is_whole:
                number, end = number + 1, at
        if number:
            head = varints.encode(number) + varints.encode(client) + varints.encode(clock)
            kept.append(head + update[began:end])
    return varints.encode(len(kept)) + b"".join(kept) + update[at:]


def strings(update: bytes) -> Iterator[tuple[int, int]]:
    """Yield from where to where each piece of text lies in an update."""
    clients, at = read_count(update, 0)
    for _ in range(clients):
        count, at = read_count(update, at)
        _, at = read(update, at)
        _, at = read(update, at)
        for _ in range(count):
            is_text, began = kind_of(update, at) == STRING, at
            _, at = walked(update, at)
            if is_text:
                yield content_at(update, began), at
