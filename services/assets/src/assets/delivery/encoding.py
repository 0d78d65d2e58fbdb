"""Compressed copies of text: made at first use, stored beside the bytes, the same ever after."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable

import brotli
import msgspec

from assets.delivery.types import Coding, Held
from assets.means import Means
from assets.once import Once
from assets.types import BUCKET, coded_key, object_key
from assets.uploads.spool import Spool

# from here on a few per cent less cost several times as long
_BROTLI_QUALITY = 5
_GZIP_LEVEL = 6
_GZIP_WRAPPED = 31
# what a spool refuses: nothing grows by more than this, whatever is in it
_GROWTH_MAX = 65_536


class _Press(msgspec.Struct, frozen=True):
    """A compressor: for each piece, and for the end."""

    add: Callable[[bytes], bytes]
    end: Callable[[], bytes]


def _press(coding: Coding) -> _Press:
    if coding == "br":
        press = brotli.Compressor(quality=_BROTLI_QUALITY)
        return _Press(press.process, press.finish)
    packer = zlib.compressobj(_GZIP_LEVEL, wbits=_GZIP_WRAPPED)
    return _Press(packer.compress, packer.flush)


class Encoder:
    """Makes copies, a few at a time, off the event loop and piece by piece."""

    def __init__(self, at_once: int) -> None:
        self._turns = asyncio.Semaphore(at_once)
        self._making: Once[tuple[str, Coding], None] = Once()

    async def make(self, means: Means, held: Held, sha256: str, coding: Coding) -> None:
        """Store the copy; raises ``NotFoundError`` where there are no bytes."""
        key = object_key(held.project_id, sha256)

        async def work() -> None:
            async with self._turns:
                _, pieces = await means.storage.stream(BUCKET, key)
                await _store(means, held, coding, coded_key(key, coding), pieces)

        await self._making.do((key, coding), work)

    async def close(self) -> None:
        """Stop what is being made."""
        await self._making.close()


async def _store(
    means: Means, held: Held, coding: Coding, key: str, pieces: AsyncIterator[bytes]
) -> None:
    press = _press(coding)
    spool = Spool(memory_bytes=means.settings.spool_bytes_max, size_max=held.size + _GROWTH_MAX)
    try:
        async for piece in pieces:
            await spool.add(await asyncio.to_thread(press.add, piece))
        await spool.add(await asyncio.to_thread(press.end))
        sha256 = await spool.finish()
        await means.storage.put(BUCKET, key, spool.file, content_type=held.mime_type, sha256=sha256)
    finally:
        spool.close()
