"""Values of uploads."""

from typing import Any
from uuid import UUID

import msgspec


class NewAsset(msgspec.Struct, frozen=True):
    """An asset whose object is whole, or a version of one that is there (``is_version``).

    Of that the name is the asset's own, and ``if_match`` what its sender last saw. ``generation``
    is the blob's, once that is claimed.
    """

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
    is_version: bool = False
    if_match: str | None = None
    generation: UUID | None = None
