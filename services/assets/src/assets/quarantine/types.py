"""What waits in quarantine."""

from datetime import datetime
from uuid import UUID

import msgspec

from assets.types import Kind


class Announced(msgspec.Struct, frozen=True):
    """A file that was sent to quarantine, and what its sender said of it."""

    id: UUID
    project_id: UUID
    name: str
    content_type: str
    kind: Kind | None
    size: int
    sha256: str | None


class Begun(msgspec.Struct, frozen=True):
    """A file that is sent in parts of ``part_size``, and the store's name for the whole."""

    id: UUID
    multipart_id: str
    size: int
    part_size: int
    expires_at: datetime
