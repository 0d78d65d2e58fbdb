"""A job of the queue, and a build as somebody sees it."""

from typing import ClassVar
from uuid import UUID

from msgspec import Struct

from builds.runs.schema import Build
from common import exchange
from common.contracts.base import Event


class BuildRequested(Event, frozen=True, kw_only=True):
    """There is a build to do. It goes to the work queue, where one worker takes it."""

    subject: ClassVar[str] = "jobs.build.requested.v1"

    build_id: UUID


class Seen(Struct, frozen=True):
    """A build, and how somebody stands to its project."""

    role: str | None
    is_public: bool
    build: Build
    # under which name its objects are stored, once there are any
    result_id: UUID | None = None


def asked() -> dict[str, str]:
    """By which request a build is wanted: whoever does it says so in log and events."""
    now = exchange.current()
    return {
        "request_id": now.request_id if now else "",
        "traceparent": now.traceparent if now else "",
    }
