"""Who hears the same: told one by one here, and once for all who are at another process."""

from collections.abc import Collection, Sequence
from itertools import groupby
from typing import NamedTuple, Protocol


class Line(Protocol):
    """A connection to a process, with the clients of that process behind it, by channel."""

    def new_group(self) -> int:
        """Return the number of a group in which nobody is."""

    def join(self, group: int, channel: int) -> None:
        """Let a channel hear what is told to a group."""

    def leave(self, group: int, channel: int) -> None:
        """Let a channel hear it no more."""

    def tell(self, group: int, but: Collection[int], data: bytes) -> None:
        """Tell a group something, except for some of its channels."""

    def relay(self, group: int, parts: Sequence[tuple[int, int]], data: bytes) -> None:
        """Tell a group what came from others: to nobody what came from them.

        ``parts`` says from which channel so many bytes of ``data`` came; 0 is none of them.
        """


class Far(NamedTuple):
    """Where somebody is who is at another process."""

    line: Line
    channel: int


class Outlet(Protocol):
    """Somebody to whom frames are written."""

    @property
    def far(self) -> Far | None:
        """At which process they are, if at another."""

    def write(self, data: bytes) -> None:
        """Write one or more whole frames."""


type Sent = tuple[bytes, Outlet | None]


class _Group:
    """Those of an audience who are behind one line."""

    __slots__ = ("_line", "_number", "channels")

    def __init__(self, line: Line) -> None:
        self.channels: set[int] = set()
        self._line = line
        self._number = line.new_group()

    def join(self, channel: int) -> None:
        self.channels.add(channel)
        self._line.join(self._number, channel)

    def leave(self, channel: int) -> None:
        self.channels.discard(channel)
        self._line.leave(self._number, channel)

    def tell(self, data: bytes, but: Collection[Outlet]) -> None:
        outside = {one.far.channel for one in but if one.far and one.far.line is self._line}
        outside &= self.channels
        if len(outside) < len(self.channels):
            self._line.tell(self._number, outside, data)

    def relay(self, frames: Sequence[Sent], data: bytes) -> None:
        sizes = [(self._channel(origin), len(frame)) for frame, origin in frames]
        runs = groupby(sizes, key=lambda part: part[0])
        parts = [(channel, sum(size for _, size in run)) for channel, run in runs]
        if self.channels != {parts[0][0]} or len(parts) > 1:
            self._line.relay(self._number, parts, data)

    def _channel(self, origin: Outlet | None) -> int:
        far = None if origin is None else origin.far
        return far.channel if far is not None and far.line is self._line else 0


class Audience:
    """Outlets that are written the same, in the same order as what each is written alone."""

    __slots__ = ("_far", "_near")

    def __init__(self) -> None:
        self._near: set[Outlet] = set()
        self._far: dict[Line, _Group] = {}

    def add(self, outlet: Outlet) -> None:
        """Let somebody hear what is told from now on."""
        if outlet.far is None:
            self._near.add(outlet)
            return
        line, channel = outlet.far
        group = self._far.get(line)
        if group is None:
            group = self._far[line] = _Group(line)
        group.join(channel)

    def discard(self, outlet: Outlet) -> None:
        """Let somebody go."""
        if outlet.far is None:
            self._near.discard(outlet)
            return
        line, channel = outlet.far
        group = self._far.get(line)
        if group is not None:
            group.leave(channel)
            if not group.channels:
                del self._far[line]

    def tell(self, data: bytes, but: Collection[Outlet] = ()) -> None:
        """Write whole frames to everybody except some."""
        for outlet in tuple(self._near):
            if outlet not in but:
                outlet.write(data)
        for group in tuple(self._far.values()):
            group.tell(data, but)

    def relay(self, frames: Sequence[Sent]) -> None:
        """Write whole frames to everybody in one write each, and to nobody what came from them."""
        if not frames:
            return
        data = b"".join([frame for frame, _ in frames])
        origins = {origin for _, origin in frames if origin is not None}
        for outlet in tuple(self._near):
            if outlet not in origins:
                outlet.write(data)
                continue
            others = b"".join([frame for frame, origin in frames if origin is not outlet])
            if others:
                outlet.write(others)
        for group in tuple(self._far.values()):
            group.relay(frames, data)
