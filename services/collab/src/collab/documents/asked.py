"""The write-backs of a document that were asked for, and may have arrived without an answer."""

import time

import msgspec

_ANSWERS_MAX = 8
# longer than a request can be under way
_ARRIVES_WITHIN_S = 60.0


class Base(msgspec.Struct, frozen=True):
    """A state of the document whose text is the file's content, of which this is the hash."""

    state: bytes
    file_hash: str


class Asked:
    """By number of the log's entry. ``reached_seq`` is the last that surely arrived.

    A write-back that arrived unnoticed would look like somebody else's change of the file, and
    what was typed would come in twice.
    """

    __slots__ = ("_open", "reached_seq")

    def __init__(self, reached_seq: int) -> None:
        self.reached_seq = reached_seq
        self._open: dict[int, tuple[float, Base]] = {}

    def may_ask(self) -> bool:
        """Whether few enough wait for their answers."""
        oldest = time.monotonic() - _ARRIVES_WITHIN_S
        self._open = {seq: kept for seq, kept in self._open.items() if kept[0] > oldest}
        return len(self._open) < _ANSWERS_MAX

    def ask(self, seq: int, base: Base) -> None:
        """Note that the file may be ``base`` from now on."""
        self._open[seq] = time.monotonic(), base

    def answered(self, seq: int) -> None:
        """Note that it is known what became of one."""
        self._open.pop(seq, None)

    def reached(self, seq: int) -> Base | None:
        """Note that the file got the log up to ``seq``; return what it was then, if known."""
        self.reached_seq = max(self.reached_seq, seq)
        kept = self._open.get(seq)
        self._open = {other: kept for other, kept in self._open.items() if other > seq}
        return None if kept is None else kept[1]
