"""How large a picture is, from its header alone: nothing is decoded."""

import struct
from typing import IO

from PIL import Image

type Size = tuple[int, int]

_BY_PILLOW = {"image/png": "PNG", "image/jpeg": "JPEG", "image/gif": "GIF", "image/bmp": "BMP"}


def size_of(file: IO[bytes], head: bytes, mime: str) -> Size | None:
    """Return width and height, or ``None`` where the type does not tell them in its header.

    A header that makes no sense raises whatever it is that fails.
    """
    if mime in _BY_PILLOW:
        file.seek(0)
        with Image.open(file, formats=[_BY_PILLOW[mime]]) as image:
            return image.size
    # Pillow would read these files whole, and decode some of it
    match mime:
        case "image/webp":
            return _webp(head)
        case "image/avif":
            return _avif(head)
        case "image/x-icon":
            return _icon(head)
        case "image/ktx2":
            width, height = struct.unpack_from("<II", head, 20)
            return width, max(height, 1)
    return None


def _webp(head: bytes) -> Size:
    match head[12:16]:
        case b"VP8 ":
            width, height = struct.unpack_from("<HH", head, 26)
            return width & 0x3FFF, height & 0x3FFF
        case b"VP8L":
            (bits,) = struct.unpack_from("<I", head, 21)
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8X":
            low = head[24:30]
            return int.from_bytes(low[:3], "little") + 1, int.from_bytes(low[3:], "little") + 1
    raise ValueError("not a WebP picture")


def _avif(head: bytes) -> Size:
    """The largest spatial extent of the items: the picture itself, beside thumbnails and masks."""
    sizes: list[Size] = []
    at = head.find(b"ispe")
    while at >= 0:
        sizes.append(struct.unpack_from(">II", head, at + 8))
        at = head.find(b"ispe", at + 4)
    return max(sizes, key=lambda size: size[0] * size[1])


def _icon(head: bytes) -> Size:
    (count,) = struct.unpack_from("<H", head, 4)
    entries = [struct.unpack_from("<BB", head, 6 + 16 * i) for i in range(count)]
    sizes = [(width or 256, height or 256) for width, height in entries]
    return max(sizes)
