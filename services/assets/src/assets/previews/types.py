"""Values of previews."""

from uuid import UUID

import msgspec


class Claim(msgspec.Struct, frozen=True):
    """A thumbnail that is this worker's to make, for a while."""

    project_id: UUID
    sha256: str
    mime_type: str
    attempt: int
    worker_id: UUID | None
