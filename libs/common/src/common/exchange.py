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
        "is_routine",
        "is_unsettled",
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
        # it happens all the time, and nothing was wrong: not worth a line in the log
        self.is_routine = False
        # the answer waits until what was written holds everywhere
        self.is_unsettled = False

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


def unsettle() -> None:
    """Let the answer to the request that is being handled wait for ``app.build``'s ``settle``."""
    now = _CURRENT.get()
    if now is not None:
        now.is_unsettled = True
