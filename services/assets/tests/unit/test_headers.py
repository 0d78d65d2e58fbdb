"""How large a picture is, by its header."""

import io
import struct

import pytest
from PIL import Image

from assets.studio.work.headers import size_of


def drawn(kind, size=(13, 7)):
    """A picture that Pillow wrote."""
    file = io.BytesIO()
    Image.new("RGB", size).save(file, kind)
    return file.getvalue()


def measured(content, mime):
    return size_of(io.BytesIO(content), content[:65_536], mime)


@pytest.mark.parametrize(
    ("kind", "mime"),
    [
        ("PNG", "image/png"),
        ("JPEG", "image/jpeg"),
        ("GIF", "image/gif"),
        ("BMP", "image/bmp"),
        ("WEBP", "image/webp"),
        ("AVIF", "image/avif"),
    ],
)
def test_every_kind_of_picture_tells_its_size(kind, mime):
    assert measured(drawn(kind), mime) == (13, 7)


def test_webp_without_loss_tells_its_size_too():
    file = io.BytesIO()
    Image.new("RGBA", (300, 2)).save(file, "WEBP", lossless=True)
    assert measured(file.getvalue(), "image/webp") == (300, 2)


def test_an_icon_is_as_large_as_its_largest():
    file = io.BytesIO()
    Image.new("RGBA", (256, 256)).save(file, "ICO", sizes=[(16, 16), (256, 256)])
    assert measured(file.getvalue(), "image/x-icon") == (256, 256)


def test_a_texture_of_one_dimension_has_a_height():
    head = b"\xabKTX 20\xbb\r\n\x1a\n" + struct.pack("<IIII", 0, 1, 64, 0)
    assert measured(head, "image/ktx2") == (64, 1)


def test_what_is_no_picture_has_no_size():
    assert measured(b"RIFF....WAVE", "audio/wav") is None
    assert measured(b"<svg/>", "image/svg+xml") is None


@pytest.mark.parametrize(
    "mime", ["image/png", "image/jpeg", "image/gif", "image/bmp", "image/webp", "image/avif"]
)
@pytest.mark.parametrize("length", [0, 3, 11])
def test_half_a_header_tells_nothing(mime, length):
    kind = mime.partition("/")[2].upper()
    with pytest.raises((OSError, ValueError, SyntaxError, struct.error)):
        measured(drawn(kind)[:length], mime)


def test_the_size_is_what_the_header_says_whatever_follows():
    vp8x = b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + b"\xff\xff\x3f" * 2
    assert measured(vp8x, "image/webp") == (4_194_304, 4_194_304)
