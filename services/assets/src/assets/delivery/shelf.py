"""What was delivered lately, in memory: bytes by hash are never out of date.

Whether somebody may have them is not kept: that is asked each time.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable

from assets.delivery.types import Coding
from assets.once import Once

# of one file at most this part of all
_PART = 8

type Key = tuple[str, Coding | None]


class Shelf:
    """Holds at most so many bytes, those on their way in among them; drops what rested longest."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._bytes = 0
        self._kept: OrderedDict[Key, bytes] = OrderedDict()
        self._coming: Once[Key, bytes] = Once()

    def find(self, key: Key) -> bytes | None:
        """Return what is there."""
        data = self._kept.get(key)
        if data is not None:
            self._kept.move_to_end(key)
        return data

    async def filled(
        self, key: Key, size_max: int, fetch: Callable[[], Awaitable[bytes]]
    ) -> bytes | None:
        """Return what is there or is fetched now; ``None`` for what there is no room for."""
        data = self.find(key)
        if data is not None:
            return data
        if not self._coming.has(key) and not self._reserve(size_max):
            return None

        async def fill() -> bytes:
            try:
                data = await fetch()
            except BaseException:
                self._bytes -= size_max
                raise
            self._bytes += len(data) - size_max
            self._kept[key] = data
            return data

        return await self._coming.do(key, fill)

    def _reserve(self, size: int) -> bool:
        """Make room; what is on its way in stays."""
        if size > self._bytes_max // _PART:
            return False
        while self._bytes + size > self._bytes_max and self._kept:
            _, dropped = self._kept.popitem(last=False)
            self._bytes -= len(dropped)
        if self._bytes + size > self._bytes_max:
            return False
        self._bytes += size
        return True

    async def close(self) -> None:
        """Stop what is on its way in."""
        await self._coming.close()
