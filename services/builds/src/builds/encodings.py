"""Files that a game's maker has compressed already, and what they are inside.

Unity, Godot and others write ``game.wasm.br``, ``game.js.gz``, ``game.data.unityweb``. A browser
takes them for what they are only if it is told how they are encoded.
"""

from pathlib import PurePosixPath
from typing import Literal

type Coding = Literal["br", "gzip"]

HEAD_BYTES = 64

# what the key of a compressed copy has after that of its file
ENDINGS: dict[Coding, str] = {"br": ".br", "gzip": ".gz"}

_GZIP = b"\x1f\x8b"
# Brotli has no mark of its own; Unity puts a comment at the beginning
_UNITY_BROTLI = b"UnityWeb Compressed Content (brotli)"
_MADE = frozenset({".br", ".gz", ".unityweb"})
# what exporters compress; of others (levels.tar.gz) the archive itself is the file
_INSIDE = frozenset(
    {".js", ".mjs", ".cjs", ".wasm", ".data", ".mem", ".pck", ".bin", ".bundle"}
    | {".json", ".html", ".css", ".map", ".svg", ".xml", ".txt"}
)


def inner(path: str) -> str:
    """The name of what is inside of an encoded file; the name itself for any other."""
    name = PurePosixPath(path)
    is_made = name.suffix.lower() in _MADE
    return name.stem if is_made and PurePosixPath(name.stem).suffix.lower() in _INSIDE else path


def coding(path: str, head: bytes) -> Coding | None:
    """How a file is encoded, by its name and its first ``HEAD_BYTES``; ``None`` if it is not."""
    if inner(path) == path:
        return None
    if head.startswith(_GZIP):
        return "gzip"
    suffix = PurePosixPath(path).suffix.lower()
    if suffix == ".br" or (suffix == ".unityweb" and _UNITY_BROTLI in head):
        return "br"
    return None
