"""Work that goes on for as long as its process lives, whatever fails in it."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger()


async def forever(name: str, work: Callable[[], Awaitable[None]], *, pause_s: float) -> None:
    """Do ``work`` again and again until the task is cancelled; log each failure.

    A task that ended would be silent for good, and nobody would miss it before its events are late.
    """
    while True:
        try:
            await work()
        except Exception as exc:  # noqa: BLE001 - a connection that ends fails in many ways
            log.warning("work_waits", work=name, error=repr(exc))
        # a client whose connection ends may take the task's cancellation for its own
        if (task := asyncio.current_task()) is not None and task.cancelling():
            raise asyncio.CancelledError
        await asyncio.sleep(pause_s)
