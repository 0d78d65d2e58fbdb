"""What callers send and receive about checkpoints."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from projects.lifecycle.schema import Name


class NewCheckpoint(Struct, frozen=True, forbid_unknown_fields=True):
    """A name for the project as it is now, or as it was ``at`` a number or time of its history."""

    name: Name
    at: Annotated[str, Meta(max_length=40)] | None = None


class Checkpoint(Struct, frozen=True, rename="camel"):
    """A moment of a project's history that has a name; ``seq`` is good for ``?at=``."""

    id: UUID
    name: str
    seq: int
    tree_hash: str
    files: int
    is_automatic: bool
    actor_id: UUID
    created_at: datetime


class Restored(Struct, frozen=True, rename="camel"):
    """What a restore did: ``changed`` files, and ``before``, which undoes it."""

    checkpoint: Checkpoint
    before: Checkpoint
    changed: int
    seq: int
