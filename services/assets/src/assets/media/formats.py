"""What a file is, by its first bytes: what its sender says of it is only compared."""

import re
from pathlib import PurePath
from typing import cast

from assets.types import Kind

HEAD_BYTES = 65_536
UNKNOWN = "application/octet-stream"

type Parts = tuple[tuple[int, bytes], ...]

# the parts that a file of the type has at these offsets; the first row that fits is taken
_SIGNATURES: tuple[tuple[Parts, str], ...] = (
    (((0, b"\x89PNG\r\n\x1a\n"),), "image/png"),
    (((0, b"\xff\xd8\xff"),), "image/jpeg"),
    (((0, b"GIF87a"),), "image/gif"),
    (((0, b"GIF89a"),), "image/gif"),
    (((0, b"RIFF"), (8, b"WEBP")), "image/webp"),
    (((0, b"BM"), (6, b"\0\0\0\0")), "image/bmp"),
    (((0, b"\0\0\1\0"),), "image/x-icon"),
    (((0, b"\xabKTX 20\xbb\r\n\x1a\n"),), "image/ktx2"),
    (((4, b"ftypavif"),), "image/avif"),
    (((4, b"ftypavis"),), "image/avif"),
    (((4, b"ftypheic"),), "image/heic"),
    (((4, b"ftypmif1"),), "image/heif"),
    (((0, b"RIFF"), (8, b"WAVE")), "audio/wav"),
    (((0, b"OggS"), (28, b"\x80theora")), "video/ogg"),
    (((0, b"OggS"),), "audio/ogg"),
    (((0, b"fLaC"),), "audio/flac"),
    (((0, b"ID3"),), "audio/mpeg"),
    (((0, b"FORM"), (8, b"AIF")), "audio/aiff"),
    (((0, b"MThd"),), "audio/midi"),
    (((4, b"ftypM4A "),), "audio/mp4"),
    (((4, b"ftypqt  "),), "video/quicktime"),
    (((4, b"ftyp"),), "video/mp4"),
    (((0, b"\x1a\x45\xdf\xa3"),), "video/webm"),
    (((0, b"RIFF"), (8, b"AVI ")), "video/x-msvideo"),
    (((0, b"wOFF"),), "font/woff"),
    (((0, b"wOF2"),), "font/woff2"),
    (((0, b"OTTO"),), "font/otf"),
    (((0, b"\0\1\0\0"),), "font/ttf"),
    (((0, b"true"), (5, b"\0")), "font/ttf"),
    (((0, b"ttcf"),), "font/collection"),
    (((0, b"glTF"),), "model/gltf-binary"),
    (((0, b"Kaydara FBX Binary"),), "model/vnd.fbx"),
    (((0, b"%PDF-"),), "application/pdf"),
    (((0, b"PK\3\4"),), "application/zip"),
    (((0, b"\x1f\x8b"),), "application/gzip"),
    (((0, b"\0asm"),), "application/wasm"),
)
# text that no browser runs under its own type, whatever is in it
_PLAIN = {
    ".txt": "text/plain",
    ".json": "application/json",
    ".csv": "text/csv",
    ".css": "text/css",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".md": "text/markdown",
}
# what other text is, once it is known to be no markup
_TEXTS = {
    ".gltf": "model/gltf+json",
    ".obj": "model/obj",
}
_MEDIA = ("image", "audio", "font", "model", "video")
_EXTENSIONS = (
    _PLAIN
    | _TEXTS
    | {
        ".png": "image/png",
        ".jpg": "image/jpeg",
        ".jpeg": "image/jpeg",
        ".gif": "image/gif",
        ".webp": "image/webp",
        ".bmp": "image/bmp",
        ".ico": "image/x-icon",
        ".ktx2": "image/ktx2",
        ".avif": "image/avif",
        ".svg": "image/svg+xml",
        ".wav": "audio/wav",
        ".ogg": "audio/ogg",
        ".oga": "audio/ogg",
        ".opus": "audio/ogg",
        ".ogv": "video/ogg",
        ".flac": "audio/flac",
        ".mp3": "audio/mpeg",
        ".aac": "audio/aac",
        ".m4a": "audio/mp4",
        ".mid": "audio/midi",
        ".aif": "audio/aiff",
        ".aiff": "audio/aiff",
        ".mp4": "video/mp4",
        ".mov": "video/quicktime",
        ".webm": "video/webm",
        ".weba": "audio/webm",
        ".avi": "video/x-msvideo",
        ".woff": "font/woff",
        ".woff2": "font/woff2",
        ".otf": "font/otf",
        ".ttf": "font/ttf",
        ".ttc": "font/collection",
        ".glb": "model/gltf-binary",
        ".fbx": "model/vnd.fbx",
        ".html": "text/html",
        ".htm": "text/html",
        ".xhtml": "application/xhtml+xml",
        ".xml": "application/xml",
    }
)
KNOWN = frozenset(_EXTENSIONS.values()) | {mime for _, mime in _SIGNATURES}

_BINARY = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_MARKUP = re.compile(rb"<[A-Za-z_!?]")
_SVG = re.compile(rb"<([a-z_][\w.-]*:)?svg[\s>/]", re.IGNORECASE)
_HTML = re.compile(
    rb"<(!doctype\s+html|html|head|body|script|iframe|title|meta|style|link|div|table|h1|a|p|br|b"
    rb"|font|img|form|object|embed|base|span)\b",
    re.IGNORECASE,
)
_FRAME_SYNC = 0xFF


def sniffed(head: bytes, name: str) -> str:
    """Return the type that the bytes show; ``name`` only tells one kind of text from another."""
    for parts, mime in _SIGNATURES:
        if all(head.startswith(wanted, offset) for offset, wanted in parts):
            return mime
    if _is_audio_frame(head):
        return "audio/aac" if head[1] & 0xF6 == 0xF0 else "audio/mpeg"  # noqa: PLR2004 - ADTS has layer 0
    if not _is_text(head):
        return UNKNOWN
    suffix = _suffix(name)
    return _PLAIN.get(suffix) or _markup(head) or _TEXTS.get(suffix, "text/plain")


def by_name(name: str) -> str | None:
    """Return the type that the name's extension claims."""
    return _EXTENSIONS.get(_suffix(name))


def kind_of(mime: str) -> Kind:
    """Return what kind of asset a type is."""
    major = mime.partition("/")[0]
    return cast("Kind", major) if major in _MEDIA else "data"


def _suffix(name: str) -> str:
    return PurePath(name).suffix.lower()


def _is_audio_frame(head: bytes) -> bool:
    if len(head) < 4 or head[0] != _FRAME_SYNC:  # noqa: PLR2004 - a frame's header has four bytes
        return False
    is_mp3 = head[1] & 0xE6 == 0xE2 and head[2] & 0xF0 != 0xF0 and head[2] & 0x0C != 0x0C  # noqa: PLR2004 - MPEG's reserved values
    return is_mp3 or head[1] & 0xF6 == 0xF0  # noqa: PLR2004 - ADTS has layer 0


def _is_text(head: bytes) -> bool:
    if _BINARY.search(head):
        return False
    try:
        head.decode()
    except UnicodeDecodeError as exc:
        # the head may end within a character
        return len(head) == HEAD_BYTES and exc.start > HEAD_BYTES - 4
    return True


def _markup(head: bytes) -> str | None:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not _MARKUP.match(start):
        return None
    svg, html = _SVG.search(start), _HTML.search(start)
    if svg and (html is None or svg.start() < html.start()):
        return "image/svg+xml"
    return "text/html" if html else "application/xml"
