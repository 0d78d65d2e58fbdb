"""Where a file is before it is an asset: here while it comes in, or in the store already."""

import asyncio
import hashlib
from tempfile import SpooledTemporaryFile
from typing import override

import msgspec
import structlog

from assets.media.formats import HEAD_BYTES
from assets.types import BUCKET
from common import multipart
from common.errors import PayloadTooLargeError
from common.storage import Storage

log = structlog.get_logger()


class Sieve:
    """Bytes that pass by: counted, hashed, their beginning kept. ``add`` them, then ``finish``."""

    def __init__(self, *, memory_bytes: int, size_max: int) -> None:
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
        """Return the SHA-256 of what came."""
        await asyncio.to_thread(self._write)
        return self._hash.hexdigest()

    def _write(self) -> None:
        self._hash.update(self._waiting)
        self._waiting.clear()

    def close(self) -> None:
        """Forget what there is."""


class Spool(Sieve):
    """One file, on disk beyond a small size: finished, it can be read; ``close`` removes it."""

    def __init__(self, *, memory_bytes: int, size_max: int) -> None:
        super().__init__(memory_bytes=memory_bytes, size_max=size_max)
        self.file = SpooledTemporaryFile[bytes](max_size=memory_bytes)

    @override
    async def finish(self) -> str:
        sha256 = await super().finish()
        self.file.seek(0)
        return sha256

    @override
    def _write(self) -> None:
        self.file.write(self._waiting)
        super()._write()

    async def keep(self, storage: Storage, key: str, *, content_type: str, sha256: str) -> None:
        """Write the file to the store, which checks its hash."""
        self.file.seek(0)
        await storage.put(BUCKET, key, self.file, content_type=content_type, sha256=sha256)

    @override
    def close(self) -> None:
        self.file.close()


class Distant(msgspec.Struct, frozen=True):
    """A file that the store has, where its sender cannot change it; too large to be brought here.

    It was read once, for its hash and its beginning. The ETag is of what was read.
    """

    key: str
    etag: str
    size: int
    head: bytes

    async def keep(self, storage: Storage, key: str, *, content_type: str, sha256: str) -> None:
        """Have the store copy what was read, and nothing else, to where ``sha256`` belongs."""
        log.info("large_file_kept", key=key, sha256=sha256, size=self.size)
        await multipart.copy(
            storage,
            BUCKET,
            self.key,
            key,
            size=self.size,
            etag=self.etag,
            content_type=content_type,
        )
