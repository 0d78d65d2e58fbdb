"""Work in threads that ends with the build it is for: a thread cannot be cancelled from outside."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Event

# threads that asyncio starts take the context of the build along
_ended: ContextVar[Event | None] = ContextVar("ended", default=None)


class StoppedError(Exception):
    """The build is over: cancelled, out of time, or failed elsewhere. Nobody waits for this."""


@contextmanager
def until_the_end() -> Iterator[None]:
    """Stop the work that was begun in here, and is under way still, at the end."""
    event = Event()
    token = _ended.set(event)
    try:
        yield
    finally:
        event.set()
        _ended.reset(token)


def look() -> None:
    """Raise ``StoppedError`` where there is nobody to work for; for each file or piece of one."""
    event = _ended.get()
    if event is not None and event.is_set():
        raise StoppedError
