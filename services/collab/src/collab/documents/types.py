"""What a document is made of, as it is stored."""

from uuid import UUID

import msgspec

type Key = tuple[UUID, str]
"""Where a document is: its project, and its path there."""


class Stored(msgspec.Struct, frozen=True):
    """A document's state: its snapshot, and the log behind it."""

    id: UUID
    snapshot: bytes
    snapshot_seq: int
    file_hash: str
    latest_hash: str
    updates: list[bytes]
    last_seq: int | None

    @property
    def seq(self) -> int:
        """The number of the last entry of the log."""
        return self.snapshot_seq if self.last_seq is None else self.last_seq

    @property
    def is_behind(self) -> bool:
        """Whether the file was changed, other than through the document, since it was last seen."""
        return self.file_hash != self.latest_hash


class Entry(msgspec.Struct, frozen=True):
    """What is appended to a log at once: updates, merged, and who made them."""

    seq: int
    data: bytes
    actors: str
