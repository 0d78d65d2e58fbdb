"""What a provider says of itself is asked for now and then, and not at each login."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from common.errors import UnavailableError


class Kept[T]:
    """One answer, kept for a while; of many who want it anew one asks, and all get the same."""

    def __init__(self, rest_s: float) -> None:
        self._rest_s = rest_s
        self._value: T | None = None
        self._read_at = 0.0
        self._failed_at = -rest_s
        self._asking = asyncio.Lock()

    async def get(
        self, ask: Callable[[], Awaitable[T]], *, fresh_s: float, is_stale_good: bool = True
    ) -> T:
        """Return it, read within ``fresh_s``; where nobody answers, as it was read last.

        Raises ``UnavailableError``.
        """
        async with self._asking:
            now = time.monotonic()
            is_fresh = self._value is not None and now - self._read_at < fresh_s
            # whoever stood in line while nobody answered need not wait for that again
            if not is_fresh and now - self._failed_at >= self._rest_s:
                is_fresh = await self._ask(ask)
            if self._value is None or not (is_fresh or is_stale_good):
                raise UnavailableError("The provider does not answer; try again.")
            return self._value

    async def _ask(self, ask: Callable[[], Awaitable[T]]) -> bool:
        try:
            self._value = await ask()
        except UnavailableError:
            self._failed_at = time.monotonic()
            return False
        self._read_at = time.monotonic()
        return True
