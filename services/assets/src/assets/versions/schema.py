"""What crosses the edge of versions."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec

from assets.library.schema import VERSION_MAX
from assets.types import Asset


class Version(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """What an asset was, or is now: ``origin`` says how that came, ``upload`` or ``rollback``."""

    version: int
    user_id: UUID
    sha256: str
    size: int
    mime_type: str
    metadata: dict[str, Any]
    origin: str
    url: str
    created_at: datetime


class Changed(Asset, frozen=True, rename="camel", kw_only=True):
    """An asset that was sent bytes: ``unchanged`` where it had them already."""

    unchanged: bool


class Rollback(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which version an asset is to be as again."""

    version: Annotated[int, msgspec.Meta(ge=1, le=VERSION_MAX)]
