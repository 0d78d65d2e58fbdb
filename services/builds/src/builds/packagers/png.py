"""Pictures in a few colours, written as PNG, and how large a PNG is."""

import struct
import zlib
from collections.abc import Iterable

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = struct.Struct(">II5B")
_FROM = len(_SIGNATURE) + 8
HEAD_BYTES = _FROM + _HEADER.size
_PALETTED = 3
_LEVEL = 9

type Colour = tuple[int, int, int]


def paletted(
    width: int, height: int, depth: int, colours: list[Colour], rows: Iterable[bytes]
) -> bytes:
    """Return a PNG; each row is packed with ``depth`` bits for a pixel."""
    packer = zlib.compressobj(_LEVEL)
    pixels = [packer.compress(b"\0" + row) for row in rows]
    return b"".join(
        (
            _SIGNATURE,
            _chunk(b"IHDR", _HEADER.pack(width, height, depth, _PALETTED, 0, 0, 0)),
            _chunk(b"PLTE", bytes(part for colour in colours for part in colour)),
            _chunk(b"IDAT", b"".join(pixels) + packer.flush()),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def size(head: bytes) -> tuple[int, int] | None:
    """The width and height that a file's first bytes tell, if they are a PNG's."""
    if len(head) < HEAD_BYTES or not head.startswith(_SIGNATURE) or head[12:16] != b"IHDR":
        return None
    width, height, *_ = _HEADER.unpack_from(head, _FROM)
    return width, height
