"""Values of collection."""

from datetime import datetime
from uuid import UUID

import msgspec


class Deleted(msgspec.Struct, frozen=True):
    """An asset that is out of its library: for how long enough, and whether a text named it."""

    id: UUID
    project_id: UUID
    name: str
    deleted_at: datetime
    is_old: bool
    is_mentioned: bool


class Collected(msgspec.Struct, frozen=True):
    """What a turn has deleted."""

    assets: int
    blobs: int
