"""Writing an archive: the same files make the same bytes, whenever and wherever it is made."""

import hashlib
import zlib
from typing import BinaryIO

from projects.archives import layout
from projects.archives.types import DEFLATED, RATIO_WRITTEN_MAX, STORED

_LEVEL = 6


class Writer:
    """Writes an archive into ``file``, piece by piece: ``add`` each file in order, then ``finish``.

    Beside the file it holds of each entry what the directory says of it.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self._directory = bytearray()
        self._last = b""
        self._count = 0
        self.size = 0

    def add(self, path: str, data: bytes, *, is_text: bool) -> None:
        """Write the next file; raises ``ValueError`` where it is not in the order of the bytes."""
        name = path.encode()
        if name <= self._last:
            raise ValueError("The files are not in the order of their paths.")
        flags = 0 if name.isascii() else layout.UTF8
        method, packed = _packed(data) if is_text else (STORED, data)
        about = (name, flags, method, zlib.crc32(data), len(packed), len(data))
        self._directory += layout.central(*about, offset=self.size)
        self._write(layout.local(*about))
        self._write(packed)
        self._last = name
        self._count += 1

    def finish(self) -> bytes:
        """Write the directory; return the SHA-256 of all."""
        start = self.size
        self._write(self._directory)
        self._write(layout.ends(self._count, len(self._directory), start))
        self._file.flush()
        return self._hash.digest()

    def _write(self, piece: bytes | bytearray) -> None:
        self._hash.update(piece)
        self._file.write(piece)
        self.size += len(piece)


def _packed(data: bytes) -> tuple[int, bytes]:
    """Deflate text; what would hardly shrink, or so much that it looked like a bomb, is stored."""
    deflater = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = deflater.compress(data) + deflater.flush()
    if len(packed) < len(data) <= RATIO_WRITTEN_MAX * len(packed):
        return DEFLATED, packed
    return STORED, data
