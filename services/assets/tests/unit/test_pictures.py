"""How large a picture is, by its header."""

import io
import struct

import pytest
from PIL import Image

from assets.errors import ImageTooLargeError
from assets.media.pictures import measured
from common.errors import UnsupportedMediaTypeError


def drawn(kind, size=(13, 7)):
    """A picture that Pillow wrote."""
    file = io.BytesIO()
    Image.new("RGB", size).save(file, kind)
    return file.getvalue()


def size_of(content, mime, pixels_max=1_000_000):
    return measured(io.BytesIO(content), content[:65_536], mime, pixels_max)


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
    assert size_of(drawn(kind), mime) == (13, 7)


def test_webp_without_loss_tells_its_size_too():
    file = io.BytesIO()
    Image.new("RGBA", (300, 2)).save(file, "WEBP", lossless=True)
    assert size_of(file.getvalue(), "image/webp") == (300, 2)


def test_an_icon_is_as_large_as_its_largest():
    file = io.BytesIO()
    Image.new("RGBA", (256, 256)).save(file, "ICO", sizes=[(16, 16), (256, 256)])
    assert size_of(file.getvalue(), "image/x-icon") == (256, 256)


def test_a_texture_of_one_dimension_has_a_height():
    head = b"\xabKTX 20\xbb\r\n\x1a\n" + struct.pack("<IIII", 0, 1, 64, 0)
    assert size_of(head, "image/ktx2") == (64, 1)


def test_what_is_no_picture_has_no_size():
    assert size_of(b"RIFF....WAVE", "audio/wav") is None
    assert size_of(b"<svg/>", "image/svg+xml") is None


@pytest.mark.parametrize(
    "mime", ["image/png", "image/jpeg", "image/gif", "image/bmp", "image/webp", "image/avif"]
)
@pytest.mark.parametrize("length", [0, 3, 11])
def test_half_a_header_is_no_picture(mime, length):
    kind = mime.partition("/")[2].upper()
    with pytest.raises(UnsupportedMediaTypeError):
        size_of(drawn(kind)[:length], mime)


def test_too_many_pixels_are_refused_by_the_header_alone():
    vp8x = b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + b"\xff\xff\x3f" * 2
    with pytest.raises(ImageTooLargeError) as refused:
        size_of(vp8x, "image/webp")
    assert refused.value.details[0]["limit"] == 1_000_000


def test_a_picture_of_no_width_is_none():
    head = b"\xabKTX 20\xbb\r\n\x1a\n" + struct.pack("<IIII", 0, 1, 0, 5)
    with pytest.raises(UnsupportedMediaTypeError):
        size_of(head, "image/ktx2")
