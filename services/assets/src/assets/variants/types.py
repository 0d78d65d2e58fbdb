"""Values of variants."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

type Format = Literal["webp", "avif", "png", "jpeg"]

# how a thumbnail is made is nobody's choice
THUMBNAIL = "thumbnail"


class Source(msgspec.Struct, frozen=True):
    """Bytes of a project that something is made of."""

    project_id: UUID
    sha256: str
    mime_type: str


class Made(msgspec.Struct, frozen=True):
    """A file made out of a source."""

    options: str
    sha256: str
    size: int
    mime_type: str
    metadata: dict[str, Any]
    created_at: datetime
