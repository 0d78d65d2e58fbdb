"""Values of blobs."""

from uuid import UUID

import msgspec


class Blob(msgspec.Struct, frozen=True):
    """Bytes of a project, and whether they have been nobody's for long enough."""

    project_id: UUID
    sha256: str
    size: int
    is_due: bool
