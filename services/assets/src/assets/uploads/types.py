"""Values of uploads."""

from typing import Any
from uuid import UUID

import msgspec


class NewAsset(msgspec.Struct, frozen=True):
    """An asset whose object is whole."""

    id: UUID
    project_id: UUID
    user_id: UUID
    name: str
    name_key: str
    type: str
    size: int
    mime_type: str
    sha256: str
    metadata: dict[str, Any]
