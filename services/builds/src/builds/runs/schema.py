"""What callers send and receive about builds."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from builds.types import Artifact, Diagnostic, Options, Status, Step, Target


class NewBuild(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """What to build. ``at`` is a number of the project's history; without it, the tree is now's."""

    project_id: UUID
    target: Target
    at: Annotated[int, Meta(ge=0, le=2**62)] | None = None
    options: Options = Options()


class Build(Struct, frozen=True, rename="camel"):
    """A build, as far as it has come. ``playUrl`` opens what came of it in a browser."""

    id: UUID
    project_id: UUID
    user_id: UUID
    target: Target
    status: Status
    source_tree: str
    cached: bool
    steps: list[Step]
    diagnostics: list[Diagnostic]
    artifacts: list[Artifact]
    retry_of: UUID | None
    verify_of: UUID | None
    error_code: str | None
    error_message: str | None
    queued_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    play_url: str | None = None
