"""What a client says to each server, byte for byte: WebSocket frames, and the protocol in them."""

import struct
from collections.abc import Callable, Iterator

import msgspec

from collab.yjs import varints

SYNC, AWARENESS, AUTH = 0, 1, 2
STEP_1, STEP_2, UPDATE = 0, 1, 2
NOTHING_KNOWN = b"\x00"
NO_CHANGE = b"\x00\x00"
ALIVE = b"\x8a\x80\x00\x00\x00\x00"
"""An unsolicited pong: a sign of life."""

# any but zeros, which servers may pass over
_MASK = b"\x5a\x3c\x71\x96"
_BINARY, _CLOSE, _OPCODE = 0x82, 0x8, 0x0F
_SHORT, _LONG, _LONGER = 126, 65_536, 127
_SYNC_REPLY = 4


class ClosedError(Exception):
    """The server closed a connection; the message says why."""


class Dialect(msgspec.Struct, frozen=True):
    """How a server is spoken to; ``document`` is a project's id, a slash and a path."""

    # the request that opens the socket: of document, token and port
    request: Callable[[str, str, int], bytes]
    # what is said first: of document and token
    hello: Callable[[str, str], list[bytes]]
    # a message of y-protocols as this server wants it, and back
    wrapped: Callable[[str, bytes], bytes]
    unwrapped: Callable[[bytes], bytes]
    # whether one's own changes come back
    echoes: bool


def framed(payload: bytes) -> bytes:
    """Put a payload into one masked frame, as a client sends it."""
    size = len(payload)
    if size < _SHORT:
        head = bytes((_BINARY, 0x80 | size))
    elif size < _LONG:
        head = struct.pack("!BBH", _BINARY, 0x80 | _SHORT, size)
    else:
        head = struct.pack("!BBQ", _BINARY, 0x80 | _LONGER, size)
    mask = (_MASK * (size // 4 + 1))[:size]
    masked = int.from_bytes(payload) ^ int.from_bytes(mask)
    return head + _MASK + masked.to_bytes(size)


def frames(data: bytearray) -> Iterator[bytes]:
    """Take the payloads of the binary frames that are whole out of what came."""
    at = 0
    while (found := _frame(data, at)) is not None:
        opcode, start, end = found
        if opcode == _CLOSE:
            code = int.from_bytes(data[start : start + 2])
            raise ClosedError(f"{code} {data[start + 2 : end].decode(errors='replace')}")
        if opcode == _BINARY & _OPCODE:
            yield bytes(data[start:end])
        at = end
    del data[:at]


def _frame(data: bytearray, at: int) -> tuple[int, int, int] | None:
    if len(data) < at + 2:
        return None
    opcode, size, start = data[at] & _OPCODE, data[at + 1], at + 2
    if size == _SHORT:
        start += 2
        size = int.from_bytes(data[at + 2 : start])
    elif size == _LONGER:
        start += 8
        size = int.from_bytes(data[at + 2 : start])
    end = start + size
    return None if len(data) < end else (opcode, start, end)


def sync(step: int, body: bytes) -> bytes:
    """Encode a sync message."""
    return bytes((SYNC, step)) + varints.encode(len(body)) + body


def brought(message: bytes) -> tuple[int, bytes] | None:
    """Return the step and the update of a message that brings changes."""
    if message[0] != SYNC or message[1] not in {STEP_2, UPDATE}:
        return None
    return message[1], varints.read_bytes(message, 2)[0]


def _upgrade(path: str, port: int, *more: str) -> bytes:
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        *more,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


# the client knows nothing yet, and has nothing that the server could not know
_FIRST = (sync(STEP_1, NOTHING_KNOWN), sync(STEP_2, NO_CHANGE))


def collab(fleet_secret: str) -> Dialect:
    """Return how the collab service is spoken to behind its gateway: y-protocols as they are."""

    def request(document: str, token: str, port: int) -> bytes:
        path = f"/collab/v1/documents/{document}?access_token={token}"
        return _upgrade(path, port, f"x-fleet-secret: {fleet_secret}")

    return Dialect(
        request=request,
        hello=lambda _document, _token: list(_FIRST),
        wrapped=lambda _document, message: message,
        unwrapped=lambda message: message,
        echoes=False,
    )


def _string(text: str) -> bytes:
    raw = text.encode()
    return varints.encode(len(raw)) + raw


def _unprefixed(message: bytes) -> bytes:
    _, at = varints.read_bytes(message, 0)
    rest = message[at:]
    # an answer that must not be answered is a sync message otherwise
    return bytes((SYNC,)) + rest[1:] if rest[0] == _SYNC_REPLY else rest


def hocuspocus() -> Dialect:
    """Return how Hocuspocus is spoken to: each message begins with its document's name."""

    def hello(document: str, token: str) -> list[bytes]:
        name = _string(document)
        return [name + bytes((AUTH, 0)) + _string(token), *(name + m for m in _FIRST)]

    return Dialect(
        request=lambda _document, _token, port: _upgrade("/", port),
        hello=hello,
        wrapped=lambda document, message: _string(document) + message,
        unwrapped=_unprefixed,
        echoes=True,
    )
