"""What collab sends and is told about the files of documents that are open live."""

from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from projects.live.types import Asked, Verdict


class Opening(Struct, frozen=True, kw_only=True, rename="camel"):
    """A file that is about to be open live, under an ``epoch`` that only grows."""

    path: str
    epoch: int
    bytes_max: int
    known: str | None = None


class LiveFile(Struct, frozen=True, kw_only=True, rename="camel"):
    """A document's file as it is now; without ``path`` and ``hash`` it is gone.

    ``content`` is there unless its hash was known, or it is nothing to type into (``is_text``).
    ``flushed_seq`` is how far what was typed is in it, ``actor_id`` who wrote it last.
    """

    file_id: UUID
    path: str | None = None
    hash: str | None = None
    version: int = 0
    flushed_seq: int = 0
    actor_id: UUID | None = None
    is_text: bool = False
    content: str | None = None


class Look(Struct, frozen=True):
    """Which documents' files to look at."""

    files: list[Asked]


class LiveFiles(Struct, frozen=True):
    """Files as they are now, one for each that was asked for."""

    files: list[LiveFile]


class WriteBack(Struct, frozen=True, kw_only=True, rename="camel"):
    """What was typed up to ``seq``, by ``actors``, the last of whom typed last."""

    file_id: UUID
    epoch: int
    seq: int
    expected: str
    content: str
    actors: Annotated[list[UUID], Meta(min_length=1)]


class Written(Struct, frozen=True, rename="camel"):
    """What became of a write-back, and what the file is now.

    ``is_full``: the project holds more than it may by that, and nobody should type on.
    """

    verdict: Verdict
    hash: str | None = None
    version: int | None = None
    is_full: bool = False


class Closing(Struct, frozen=True, rename="camel"):
    """Documents that are open no more, and all that was typed into them is written back."""

    file_ids: list[UUID]
    epoch: int


class Closed(Struct, frozen=True):
    """How many marks are gone."""

    closed: int
