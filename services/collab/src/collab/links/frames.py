"""What two processes say to each other over a link: frames behind their length and kind.

Whoever needs the other's projects opens channels, one for each client, and passes on what these
say. The owner answers a channel, or tells a group of channels something, which it says once.
"""

import struct
from collections.abc import Callable
from typing import ClassVar

import msgspec

from collab.identity.types import Identity

_HEAD = struct.Struct("!IB")
_ONE = struct.Struct("!I")
_TWO = struct.Struct("!II")
_SAID = struct.Struct("!I?")
_END = struct.Struct("!IH")
_TOLD = struct.Struct("!IH")


class GarbledError(ValueError):
    """What came is nothing that the other process would say."""


class Opening(msgspec.Struct, frozen=True):
    """Who is there, and at which address."""

    place: str
    identity: Identity


class Open(msgspec.Struct, frozen=True, gc=False):
    """A client has come."""

    kind: ClassVar[int] = 1
    channel: int
    opening: Opening

    def body(self) -> bytes:
        """Encode it."""
        return _ONE.pack(self.channel) + msgspec.json.encode(self.opening)

    @classmethod
    def read(cls, body: bytes) -> "Open":
        """Decode it."""
        opening = msgspec.json.decode(body[_ONE.size :], type=Opening)
        (channel,) = _ONE.unpack_from(body)
        return cls(channel, opening)


class Message(msgspec.Struct, frozen=True, gc=False):
    """A client has said something."""

    kind: ClassVar[int] = 2
    channel: int
    is_text: bool
    data: bytes

    def body(self) -> bytes:
        """Encode it."""
        return _SAID.pack(self.channel, self.is_text) + self.data

    @classmethod
    def read(cls, body: bytes) -> "Message":
        """Decode it."""
        channel, is_text = _SAID.unpack_from(body)
        return cls(channel, is_text, body[_SAID.size :])


class Close(msgspec.Struct, frozen=True, gc=False):
    """A client has gone, or has to go."""

    kind: ClassVar[int] = 3
    channel: int
    code: int
    reason: str

    def body(self) -> bytes:
        """Encode it."""
        return _END.pack(self.channel, self.code) + self.reason.encode()

    @classmethod
    def read(cls, body: bytes) -> "Close":
        """Decode it."""
        channel, code = _END.unpack_from(body)
        return cls(channel, code, body[_END.size :].decode())


class Answer(msgspec.Struct, frozen=True, gc=False):
    """Whole WebSocket frames for one client."""

    kind: ClassVar[int] = 4
    channel: int
    data: bytes

    def body(self) -> bytes:
        """Encode it."""
        return _ONE.pack(self.channel) + self.data

    @classmethod
    def read(cls, body: bytes) -> "Answer":
        """Decode it."""
        (channel,) = _ONE.unpack_from(body)
        return cls(channel, body[_ONE.size :])


class Told(msgspec.Struct, frozen=True, gc=False):
    """Whole WebSocket frames for everybody in a group, except for some."""

    kind: ClassVar[int] = 5
    group: int
    but: tuple[int, ...]
    data: bytes

    def body(self) -> bytes:
        """Encode it."""
        but = self.but
        return _TOLD.pack(self.group, len(but)) + struct.pack(f"!{len(but)}I", *but) + self.data

    @classmethod
    def read(cls, body: bytes) -> "Told":
        """Decode it."""
        group, count = _TOLD.unpack_from(body)
        but = struct.unpack_from(f"!{count}I", body, _TOLD.size)
        return cls(group, but, body[_TOLD.size + count * _ONE.size :])


class Passed(msgspec.Struct, frozen=True, gc=False):
    """Whole WebSocket frames for everybody in a group, except for whom they came from.

    ``parts`` says of whom so many bytes of ``data`` came; channel 0 is nobody.
    """

    kind: ClassVar[int] = 9
    group: int
    parts: tuple[tuple[int, int], ...]
    data: bytes

    def body(self) -> bytes:
        """Encode it."""
        numbers = [number for part in self.parts for number in part]
        parts = struct.pack(f"!{len(numbers)}I", *numbers)
        return _TOLD.pack(self.group, len(self.parts)) + parts + self.data

    @classmethod
    def read(cls, body: bytes) -> "Passed":
        """Decode it."""
        group, count = _TOLD.unpack_from(body)
        end = _TOLD.size + count * _TWO.size
        parts = tuple(_TWO.iter_unpack(body[_TOLD.size : end]))
        if len(parts) != count or sum(size for _, size in parts) != len(body) - end:
            raise GarbledError
        return cls(group, parts, body[end:])

    def without(self, channel: int) -> bytes:
        """Return what did not come from ``channel``."""
        kept = []
        at = 0
        for origin, size in self.parts:
            if origin != channel:
                kept.append(self.data[at : at + size])
            at += size
        return b"".join(kept)


class Join(msgspec.Struct, frozen=True, gc=False):
    """A channel is in a group from now on."""

    kind: ClassVar[int] = 6
    group: int
    channel: int

    def body(self) -> bytes:
        """Encode it."""
        return _TWO.pack(self.group, self.channel)

    @classmethod
    def read(cls, body: bytes) -> "Join":
        """Decode it."""
        return cls(*_TWO.unpack(body))


class Leave(msgspec.Struct, frozen=True, gc=False):
    """A channel is not in a group any more."""

    kind: ClassVar[int] = 7
    group: int
    channel: int

    def body(self) -> bytes:
        """Encode it."""
        return _TWO.pack(self.group, self.channel)

    @classmethod
    def read(cls, body: bytes) -> "Leave":
        """Decode it."""
        return cls(*_TWO.unpack(body))


class Beat(msgspec.Struct, frozen=True, gc=False):
    """A sign of life."""

    kind: ClassVar[int] = 8

    def body(self) -> bytes:
        """Encode it."""
        return b""

    @classmethod
    def read(cls, body: bytes) -> "Beat":
        """Decode it."""
        if body:
            raise GarbledError
        return cls()


type Frame = Open | Message | Close | Answer | Told | Passed | Join | Leave | Beat

_READERS: dict[int, Callable[[bytes], Frame]] = {
    kind.kind: kind.read for kind in (Open, Message, Close, Answer, Told, Passed, Join, Leave, Beat)
}


def encode(frame: Frame) -> bytes:
    """Return a frame as it is sent."""
    body = frame.body()
    return _HEAD.pack(len(body), frame.kind) + body


class Decoder:
    """Finds frames in what comes, in whatever pieces."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._rest = bytearray()
        # of how many bytes there is something to be read
        self._wanted = _HEAD.size

    def feed(self, data: bytes) -> list[Frame]:
        """Return the frames that are whole now; raises ``GarbledError``."""
        if self._rest:
            self._rest += data
            if len(self._rest) < self._wanted:
                return []
            data = bytes(self._rest)
            self._rest.clear()
        frames = []
        at = 0
        self._wanted = _HEAD.size
        while len(data) - at >= _HEAD.size:
            size, kind = _HEAD.unpack_from(data, at)
            if size > self._bytes_max or kind not in _READERS:
                raise GarbledError
            end = at + _HEAD.size + size
            if end > len(data):
                self._wanted = end - at
                break
            frames.append(_read(kind, data[at + _HEAD.size : end]))
            at = end
        self._rest += data[at:]
        return frames


def _read(kind: int, body: bytes) -> Frame:
    try:
        return _READERS[kind](body)
    except (struct.error, UnicodeDecodeError, msgspec.MsgspecError) as exc:
        raise GarbledError from exc
