"""Values of versions."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

type Origin = Literal["upload", "rollback"]


class Fresh(msgspec.Struct, frozen=True):
    """What an asset is to be from now on: stored bytes, and what is known of them."""

    sha256: str
    size: int
    mime_type: str
    metadata: dict[str, Any]
    origin: Origin = "upload"
    # of the blob, where nothing refers to that yet
    generation: UUID | None = None


class Past(msgspec.Struct, frozen=True):
    """A version of an asset, as it was written down."""

    version: int
    user_id: UUID
    sha256: str
    size: int
    mime_type: str
    metadata: dict[str, Any]
    origin: str
    created_at: datetime
