"""What the builds service announces."""

from typing import ClassVar
from uuid import UUID

from common.contracts.base import Event


class BuildEvent(Event, frozen=True, kw_only=True):
    """What every event of a build tells: which, of what, and who wanted it."""

    build_id: UUID
    project_id: UUID
    user_id: UUID
    target: str


class BuildQueued(BuildEvent, frozen=True, kw_only=True):
    """Somebody wants a build of the tree as it was then."""

    subject: ClassVar[str] = "builds.build.queued.v1"

    source_tree: str
    retry_of: UUID | None = None
    verify_of: UUID | None = None


class BuildStarted(BuildEvent, frozen=True, kw_only=True):
    """A worker has taken a build; ``attempt`` counts from 1."""

    subject: ClassVar[str] = "builds.build.started.v1"

    attempt: int


class BuildSucceeded(BuildEvent, frozen=True, kw_only=True):
    """A build can be downloaded and, where its target is the web, played.

    A ``cached`` one was made before: it has the result of an earlier build of the same input.
    """

    subject: ClassVar[str] = "builds.build.succeeded.v1"

    duration_ms: int
    size: int
    cached: bool = False


class BuildFailed(BuildEvent, frozen=True, kw_only=True):
    """A build ended without a result; ``status`` is ``failed`` or ``timed_out``."""

    subject: ClassVar[str] = "builds.build.failed.v1"

    status: str
    error_code: str
    error_message: str


class BuildCancelled(BuildEvent, frozen=True, kw_only=True):
    """A build was ended before it ended itself.

    ``reason`` is ``requested`` (by the actor), or ``access_lost``: whoever wanted the build may not
    build there any more, and the actor is nobody.
    """

    subject: ClassVar[str] = "builds.build.cancelled.v1"

    actor_id: UUID
    reason: str = "requested"


class BuildSuperseded(BuildEvent, frozen=True, kw_only=True):
    """A build had not begun when a newer one of the same kind was wanted: nobody waits for it."""

    subject: ClassVar[str] = "builds.build.superseded.v1"

    superseded_by: UUID
