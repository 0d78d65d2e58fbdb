"""The object store as a build's results see it."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, override

from builds import places
from builds.pipeline.publish import Shelf
from common.errors import UnavailableError
from common.storage import Storage

# below this a file is sent at once; a larger one is read piece by piece
_WHOLE_BYTES = 8 << 20


def _opened(path: Path) -> bytes | BinaryIO:
    return path.read_bytes() if path.stat().st_size <= _WHOLE_BYTES else path.open("rb")


class StoreShelf(Shelf):
    """Remembers what it was given, so that a build that came to nothing leaves nothing."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._keys: list[str] = []

    @override
    async def put(self, key: str, path: Path, content_type: str) -> None:
        self._keys.append(key)
        content = await asyncio.to_thread(_opened, path)
        try:
            await self._storage.put(places.BUCKET, key, content, content_type=content_type)
        finally:
            if not isinstance(content, bytes):
                content.close()

    async def clear(self) -> None:
        """Take everything away again, as far as the store answers."""
        with suppress(UnavailableError):
            for key in self._keys:
                await self._storage.delete(places.BUCKET, key)
