"""What crosses the edge of collection."""

from datetime import datetime
from uuid import UUID

import msgspec


class DeadAsset(msgspec.Struct, frozen=True, rename="camel"):
    """A deleted asset that nothing needs: it can be restored until it is collected."""

    id: UUID
    name: str
    deleted_at: datetime


class DeadBlob(msgspec.Struct, frozen=True):
    """Bytes that nothing needs."""

    sha256: str
    size: int


class Kept(msgspec.Struct, frozen=True, rename="camel"):
    """Why the rest is kept: the assets first, and then the bytes of which there is no asset yet.

    ``mentioned`` are deleted assets that a text names which the project has or had.
    """

    in_library: int
    recently_deleted: int
    mentioned: int
    recently_stored: int


class Garbage(msgspec.Struct, frozen=True, rename="camel"):
    """What the next collection would delete, the largest bytes first, and why the rest is kept.

    ``bytes`` and ``count`` are of all of it, of which the lists have at most a thousand.
    """

    bytes: int
    count: int
    blobs: list[DeadBlob]
    assets: list[DeadAsset]
    kept: Kept
    used: int
