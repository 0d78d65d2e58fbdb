"""Waiting for what happens later: asked again and again, and never for ever."""

import asyncio
from collections.abc import Awaitable, Callable

_WITHIN_S = 45.0
_PAUSE_S = 0.02


async def until[T](look: Callable[[], Awaitable[T]], within_s: float = _WITHIN_S) -> T:
    """Look until what is seen is true, and return it; raises ``TimeoutError``."""
    async with asyncio.timeout(within_s):
        # nothing tells when another process or server has come so far
        while not (seen := await look()):  # noqa: ASYNC110 - so it is asked
            await asyncio.sleep(_PAUSE_S)
    return seen
