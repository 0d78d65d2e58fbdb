"""What is known of a file that is open live, and what may become of a write-back."""

from typing import Literal
from uuid import UUID

import msgspec

type Verdict = Literal["written", "unchanged", "stale", "gone", "fenced", "full"]


class LiveError(Exception):
    """Files are open live, and nothing was done: who holds all these documents tries again."""

    def __init__(self, documents: frozenset[UUID]) -> None:
        super().__init__("Files are open live.")
        self.documents = documents


class Asked(msgspec.Struct, frozen=True, rename="camel"):
    """A document, and the hash of what whoever asks has of it."""

    file_id: UUID
    known: str | None = None
