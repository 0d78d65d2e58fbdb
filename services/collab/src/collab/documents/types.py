"""What a document is made of, as it is stored, and what is known of its file."""

from uuid import UUID

import msgspec

type Key = tuple[UUID, str]
"""Where a document is: its project, and its path there."""


class LiveFile(msgspec.Struct, frozen=True, rename="camel"):
    """A file as the projects service says it is now.

    ``path`` and ``hash`` are ``None`` where it is gone; ``content`` is its text, where that is not
    known already. ``flushed_seq`` is how much of the document's log it has got.
    """

    file_id: UUID
    path: str | None = None
    hash: str | None = None
    version: int = 0
    flushed_seq: int = 0
    actor_id: UUID | None = None
    is_text: bool = True
    content: str | None = None


class Written(msgspec.Struct, frozen=True, rename="camel"):
    """What became of a write-back.

    ``verdict`` is ``written``, ``unchanged``, ``stale``, ``gone``, ``fenced`` or ``full``.
    """

    verdict: str
    hash: str | None = None
    version: int | None = None
    # the project holds more than it may: nobody should type on
    is_full: bool = False


class Stored(msgspec.Struct, frozen=True):
    """A document's state: its snapshot, and the log behind it, entry by entry."""

    id: UUID
    snapshot: bytes
    snapshot_seq: int
    written_seq: int
    file_hash: str
    seed: int
    seqs: list[int]
    updates: list[bytes]
    # each entry's, joined by commas
    actors: list[str]
    # each entry's, empty where it is nobody's way in
    file_hashes: list[str]

    @property
    def seq(self) -> int:
        """The number of the last entry of the log."""
        return self.seqs[-1] if self.seqs else self.snapshot_seq


class Entry(msgspec.Struct, frozen=True):
    """What is appended to a log at once: updates, merged, and who made them.

    ``file_hash`` says that it is the way of that content of the file into the document.
    """

    seq: int
    data: bytes
    actors: str
    file_hash: str | None = None
