"""A job of the queue."""

from typing import ClassVar
from uuid import UUID

from common import exchange
from common.contracts.base import Event


class BuildRequested(Event, frozen=True, kw_only=True):
    """There is a build to do. It goes to the work queue, where one worker takes it."""

    subject: ClassVar[str] = "jobs.build.requested.v1"

    build_id: UUID


def asked() -> dict[str, str]:
    """By which request a build is wanted: whoever does it says so in log and events."""
    now = exchange.current()
    return {
        "request_id": now.request_id if now else "",
        "traceparent": now.traceparent if now else "",
    }
