"""What a file is taken for, by its bytes and by what is said of it."""

import pytest

from assets.media import formats
from assets.media.claims import settle
from common.errors import UnsupportedMediaTypeError

OGG = b"OggS" + b"\0" * 24
SHOWN = [
    (b"\x89PNG\r\n\x1a\n", "", "image/png"),
    (b"\xff\xd8\xff\xe0", "", "image/jpeg"),
    (b"GIF89a", "", "image/gif"),
    (b"RIFF....WEBPVP8 ", "", "image/webp"),
    (b"\0\0\0\x20ftypavif", "", "image/avif"),
    (b"RIFF....WAVEfmt ", "", "audio/wav"),
    (OGG + b"\x01vorbis", "", "audio/ogg"),
    (OGG + b"OpusHead", "", "audio/ogg"),
    (OGG + b"\x80theora", "", "video/ogg"),
    (b"ID3\x04\0", "", "audio/mpeg"),
    (b"\xff\xfb\x90\x64", "", "audio/mpeg"),
    (b"\xff\xf1\x50\x80", "", "audio/aac"),
    (b"\0\0\0\x18ftypmp42", "", "video/mp4"),
    (b"\0\0\0\x18ftypM4A ", "", "audio/mp4"),
    (b"wOF2\0\1\0\0", "", "font/woff2"),
    (b"\0\1\0\0\0\x0f", "", "font/ttf"),
    (b"glTF\2\0\0\0", "", "model/gltf-binary"),
    (b'{"asset":{"version":"2.0"}}', "a.gltf", "model/gltf+json"),
    (b'{"bricks":[]}', "level.json", "application/json"),
    (b"just words", "words", "text/plain"),
    ("é".encode() * 40_000, "words", "text/plain"),
    (b"# Title\n<p>", "README.md", "text/markdown"),
    (b"<p align=center>", "README.md", "text/markdown"),
    (b"<svg xmlns='x'>", "a.svg", "image/svg+xml"),
    (b"\xef\xbb\xbf<?xml version='1.0'?><!-- x --><svg:svg>", "", "image/svg+xml"),
    (b"<?xml version='1.0'?><map/>", "level.tmx", "application/xml"),
    (b"  \n<!DOCTYPE html><svg>", "", "text/html"),
    (b"<script>", "", "text/html"),
    (b"\xff\xfe<\0h\0t\0m\0l\0", "", "application/octet-stream"),
    (b"\x7fELF\2\1\1\0", "", "application/octet-stream"),
    (b"", "", "text/plain"),
]


@pytest.mark.parametrize(("head", "name", "mime"), SHOWN)
def test_the_bytes_decide(head, name, mime):
    assert formats.sniffed(head[: formats.HEAD_BYTES], name) == mime


AGREED = [
    (b"\x89PNG\r\n\x1a\n", "a.png", "image/png", None, "image/png", "image"),
    # one picture said to be another does no harm: it is served as what it is
    (b"\xff\xd8\xff\xe0", "a.png", "image/png", None, "image/jpeg", "image"),
    (b"\x89PNG\r\n\x1a\n", "a", "application/octet-stream", None, "image/png", "image"),
    (b"\x89PNG\r\n\x1a\n", "a.png", "IMAGE/PNG; charset=x", "data", "image/png", "data"),
    # a container's claim says what is in it
    (b"\x1a\x45\xdf\xa3", "a.webm", "", None, "video/webm", "video"),
    (b"\x1a\x45\xdf\xa3", "a.weba", "audio/webm", None, "audio/webm", "audio"),
    (b"\0\0\0\x18ftypisom", "a.m4a", "audio/x-m4a", "audio", "audio/mp4", "audio"),
    (b"\0\0\0\x18ftypmp42", "a.mp4", "\u0436/mp4", None, "video/mp4", "video"),
    (b"\0\0\0\x18ftypmp42", "a.mp4", "text/mp4", None, "video/mp4", "video"),
    (OGG, "a.opus", "audio/opus", None, "audio/ogg", "audio"),
    (b"<?xml version='1.0'?><svg>", "a.svg", "text/xml", None, "image/svg+xml", "image"),
    # what this service does not know is data
    (b"\0\0\2\0\0", "a.tga", "image/x-tga", None, "application/octet-stream", "data"),
    (b"\0\1\2", "a.bin", "", None, "application/octet-stream", "data"),
]


@pytest.mark.parametrize(("head", "name", "declared", "wanted", "mime", "kind"), AGREED)
def test_what_can_both_be_true_is_taken(head, name, declared, wanted, mime, kind):
    settled = settle(head, name, declared, wanted)
    assert (settled.mime_type, settled.kind) == (mime, kind)


CLASHES = [
    (b"<html>", "a.png", "", None),
    (b"<html>", "a", "image/png", None),
    (b"<html>", "a.svg", "image/svg+xml", None),
    (b"<svg>", "a.png", "", None),
    (b"<svg>", "a", "text/html", None),
    (b"GIF89a", "a.html", "", None),
    (b"GIF89a", "a.svg", "", None),
    (b"<script>", "a.tga", "image/x-tga", None),
    (b"\x89PNG\r\n\x1a\n", "a.mp3", "", None),
    (b"words", "a.png", "", None),
    (b"\0\1\2", "a.wav", "", None),
    (b"\x89PNG\r\n\x1a\n", "a.png", "", "audio"),
    (b"words", "a.txt", "", "image"),
]


@pytest.mark.parametrize(("head", "name", "declared", "wanted"), CLASHES)
def test_what_cannot_both_be_true_is_refused(head, name, declared, wanted):
    with pytest.raises(UnsupportedMediaTypeError) as refused:
        settle(head, name, declared, wanted)
    assert set(refused.value.details[0]) == {"field", "declared", "found"}


def test_every_type_that_an_extension_claims_is_of_some_kind():
    assert {formats.kind_of(mime) for mime in formats.KNOWN} == {
        "image",
        "audio",
        "font",
        "model",
        "video",
        "data",
    }
