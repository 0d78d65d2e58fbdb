"""Where a file is while it comes in: on disk beyond a small size, and hashed on its way."""

import asyncio
import hashlib
from tempfile import SpooledTemporaryFile

from assets.media.formats import HEAD_BYTES
from common.errors import PayloadTooLargeError


class Spool:
    """One file. ``add`` its pieces, ``finish``, read ``file``; ``close`` removes it."""

    def __init__(self, *, memory_bytes: int, size_max: int) -> None:
        self.file = SpooledTemporaryFile[bytes](max_size=memory_bytes)
        self.size = 0
        self.head = b""
        self._memory_bytes = memory_bytes
        self._size_max = size_max
        self._waiting = bytearray()
        self._hash = hashlib.sha256()

    async def add(self, piece: bytes | bytearray) -> None:
        """Take the next piece; raises ``PayloadTooLargeError``."""
        self.size += len(piece)
        if self.size > self._size_max:
            raise PayloadTooLargeError(
                "The file is too large.", {"field": "file", "limit": self._size_max}
            )
        if len(self.head) < HEAD_BYTES:
            self.head += piece[: HEAD_BYTES - len(self.head)]
        self._waiting += piece
        if len(self._waiting) >= self._memory_bytes:
            await asyncio.to_thread(self._write)

    async def finish(self) -> str:
        """Return the SHA-256 of what came, and let it be read from the start."""
        await asyncio.to_thread(self._write)
        self.file.seek(0)
        return self._hash.hexdigest()

    def _write(self) -> None:
        self._hash.update(self._waiting)
        self.file.write(self._waiting)
        self._waiting.clear()

    def close(self) -> None:
        """Forget the file."""
        self.file.close()
