"""What is known of the request (or event) that is being handled: its ids, and its time so far."""

import time
from contextvars import ContextVar

_HEX_TRACE = 32


class Exchange:
    """One request on its way through: mutable, because time is added to it."""

    __slots__ = (
        "announced",
        "database_s",
        "headers",
        "links",
        "request_id",
        "started",
        "target",
        "traceparent",
    )

    def __init__(self, request_id: str, traceparent: str = "", target: str = "") -> None:
        self.request_id = request_id
        self.target = target
        self.links = ""
        self.headers: dict[bytes, bytes] | None = None
        self.traceparent = traceparent
        self.started = time.perf_counter()
        self.database_s = 0.0
        self.announced = False

    @property
    def trace_id(self) -> str:
        """The trace id of ``traceparent`` (W3C Trace Context), or nothing."""
        parts = self.traceparent.split("-")
        return parts[1] if len(parts) == 4 and len(parts[1]) == _HEX_TRACE else ""  # noqa: PLR2004 - the format has four parts


_CURRENT: ContextVar[Exchange | None] = ContextVar("exchange", default=None)


def enter(exchange: Exchange) -> None:
    """Make ``exchange`` the one that logs, events and outgoing calls refer to."""
    _CURRENT.set(exchange)


def current() -> Exchange | None:
    """Return what is being handled, if anything is."""
    return _CURRENT.get()
