"""What callers send and receive about what a project was."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from projects.files.types import Encoding

type Action = Literal["created", "updated", "deleted", "moved"]


class FileVersion(Struct, frozen=True, rename="camel"):
    """One change of one file, the ``seq``-th of its project; without ``hash`` the file went.

    A move is told twice: with ``movedTo`` at the path that the file left, with ``movedFrom`` at
    the one that it came to. What was typed into a document that several had open has all of them
    as ``actors``, and who typed last as ``actor_id``.
    """

    seq: int
    path: str
    version: int
    action: Action
    hash: str | None
    size: int | None
    encoding: Encoding
    moved_to: str | None
    moved_from: str | None
    actor_id: UUID
    actors: list[UUID]
    origin: str
    at: datetime


class WantedVersion(Struct, frozen=True, forbid_unknown_fields=True):
    """A version of a file that is to be what it is now."""

    path: str
    version: Annotated[int, Meta(ge=1, le=2**53)]
