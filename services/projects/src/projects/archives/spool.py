"""Where bytes are while they come in: a file that nobody can name, gone when it is closed."""

import asyncio
from tempfile import TemporaryFile

from common.errors import PayloadTooLargeError

_PIECE = 1_048_576


class Spool:
    """A file that is received. ``add`` its pieces, ``finish``, read ``file``; ``close`` it."""

    def __init__(self, folder: str, size_max: int) -> None:
        self.file = TemporaryFile(dir=folder or None)  # noqa: SIM115 - it lives as long as this
        self.size_max = size_max
        self._size = 0
        self._waiting = bytearray()

    async def add(self, piece: bytes | bytearray) -> None:
        """Take the next piece; raises ``PayloadTooLargeError``."""
        self._size += len(piece)
        if self._size > self.size_max:
            raise PayloadTooLargeError("The archive is too large.", {"limit": self.size_max})
        self._waiting += piece
        if len(self._waiting) >= _PIECE:
            await self.finish()

    async def finish(self) -> None:
        """Have everything in the file that came so far."""
        waiting, self._waiting = self._waiting, bytearray()
        await asyncio.to_thread(self._write, waiting)

    def _write(self, piece: bytearray) -> None:
        self.file.write(piece)
        self.file.flush()

    def close(self) -> None:
        """Forget the file."""
        self.file.close()
