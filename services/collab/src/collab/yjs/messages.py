"""The messages of y-protocols, and the WebSocket frame around them, encoded once for all peers."""

import struct

from collab.yjs import varints

SYNC, AWARENESS, AUTH, QUERY_AWARENESS = 0, 1, 2, 3
STEP_1, STEP_2, UPDATE = 0, 1, 2

BINARY, TEXT = 0x82, 0x81
_SHORT, _LONG = 126, 65_536


def framed(payload: bytes, opcode: int = BINARY) -> bytes:
    """Put a payload into one unmasked frame, as a server sends it."""
    size = len(payload)
    if size < _SHORT:
        return bytes((opcode, size)) + payload
    if size < _LONG:
        return struct.pack("!BBH", opcode, 126, size) + payload
    return struct.pack("!BBQ", opcode, 127, size) + payload


def step_1(state_vector: bytes) -> bytes:
    """Ask for what is not in ``state_vector``."""
    return framed(b"\x00\x00" + varints.encode(len(state_vector)) + state_vector)


def step_2(update: bytes) -> bytes:
    """Answer a step 1: with this the asker is in sync."""
    return framed(b"\x00\x01" + varints.encode(len(update)) + update)


def update(data: bytes) -> bytes:
    """Tell of a change."""
    return framed(b"\x00\x02" + varints.encode(len(data)) + data)


def denied(reason: str) -> bytes:
    """Say that something was not permitted."""
    text = reason.encode()
    return framed(b"\x02\x00" + varints.encode(len(text)) + text)


def awareness(entries: list[tuple[int, int, bytes]]) -> bytes:
    """Tell of clients' states: (client, clock, JSON)."""
    parts = [
        varints.encode(client) + varints.encode(clock) + varints.encode(len(state)) + state
        for client, clock, state in entries
    ]
    body = varints.encode(len(parts)) + b"".join(parts)
    return framed(b"\x01" + varints.encode(len(body)) + body)


def read_awareness(message: bytes) -> list[tuple[int, int, bytes]]:
    """Decode an awareness message; raises ``MalformedError``."""
    body, _ = varints.read_bytes(message, 1)
    count, at = varints.read_count(body, 0)
    entries = []
    for _ in range(count):
        client, at = varints.read(body, at)
        clock, at = varints.read(body, at)
        state, at = varints.read_bytes(body, at)
        entries.append((client, clock, state))
    return entries
