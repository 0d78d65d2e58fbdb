"""What callers are told about a job."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from assets.optimize.types import Outcome, Status


class JobError(Struct, frozen=True):
    """Why a job failed, in the words that a request would have been refused with."""

    code: str
    message: str


class Job(Struct, frozen=True, rename="camel"):
    """Long work that the caller asked for; ``result`` says what it made, once it is complete."""

    id: UUID
    asset_id: UUID
    project_id: UUID
    status: Status
    progress: float
    result: Outcome | None
    error: JobError | None
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether something may still become of it."""
        return self.status in {"queued", "running"}
