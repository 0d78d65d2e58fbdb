"""Work that several ask for at the same time and that is done once."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class Once[K, T]:
    """Runs the work for a key once at a time; whoever asks meanwhile gets what comes of it.

    The work is nobody's in particular: it goes on where the one who asked first goes away.
    """

    def __init__(self) -> None:
        self._running: dict[K, asyncio.Task[T]] = {}

    def has(self, key: K) -> bool:
        """Whether the work for ``key`` is being done."""
        return key in self._running

    async def do(self, key: K, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Return what the work for ``key`` returns."""
        task = self._running.get(key)
        if task is None:
            task = self._running[key] = asyncio.get_running_loop().create_task(work())
            task.add_done_callback(lambda done: self._over(key, done))
        return await asyncio.shield(task)

    def _over(self, key: K, task: asyncio.Task[T]) -> None:
        del self._running[key]
        if not task.cancelled():
            # whoever waits hears of it; if nobody does, nobody is to be warned
            task.exception()

    async def close(self) -> None:
        """Stop what runs."""
        for task in list(self._running.values()):
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)
