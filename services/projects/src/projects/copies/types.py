"""What a copy is made from, and what it is called."""

from typing import Any
from uuid import UUID

from msgspec import Struct

_NAME_MAX = 100


class Source(Struct, frozen=True):
    """What is said of a project that somebody may see, and how far its history has got."""

    name: str
    description: str
    thumbnail_url: str | None
    settings: dict[str, Any]
    seq: int
    # how many projects whoever asks has
    owned: int


class Order(Struct, frozen=True):
    """What a job is to duplicate: the project as of ``seq``."""

    project_id: UUID
    seq: int
    name: str | None


def name_of_copy(name: str) -> str:
    """What a copy is called where nobody says."""
    return f"Copy of {name}"[:_NAME_MAX]
