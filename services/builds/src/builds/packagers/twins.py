"""Twins of the site's texts, compressed beforehand, for browsers that take them."""

import gzip
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import brotli

from builds import stopping
from builds.encodings import ENDINGS, Coding

_TEXTS = frozenset(
    {".html", ".htm", ".js", ".mjs", ".cjs", ".css", ".json", ".webmanifest", ".txt", ".md", ".csv"}
    | {".xml", ".svg", ".wasm", ".gltf", ".glsl", ".vert", ".frag", ".wgsl", ".fnt", ".atlas"}
    | {".tmj", ".ttf", ".otf", ".bin"}
)
# below it a packet is saved by nothing
_BYTES_MIN = 1024
# read as a whole; what is larger is sent as it is
_BYTES_MAX = 16 << 20
_GAIN_MIN = 0.9
# what an object store takes of a name, less a twin's ending
_NAME_BYTES_MAX = 250
_GZIP_LEVEL = 6
# the best takes a second for each megabyte: it is for the first of the bytes alone
_QUALITIES = ((16 << 10, 11), (512 << 10, 9))
_QUALITY_OF_THE_REST = 5


def write(site: Mapping[str, Path], folder: Path) -> dict[str, dict[Coding, Path]]:
    """Write the twins that are worth it into ``folder``; return them by path and encoding."""
    found: dict[str, dict[Coding, Path]] = {}
    done = 0
    texts = ((source.stat().st_size, path) for path, source in site.items() if _is_text(path))
    for size, path in sorted(texts):
        if not _BYTES_MIN <= size <= _BYTES_MAX:
            continue
        stopping.look()
        done += size
        for encoding, content in _compressed(site[path].read_bytes(), done).items():
            twin = path + ENDINGS[encoding]
            if twin in site or len(content) > size * _GAIN_MIN:
                continue
            target = folder / twin
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            found.setdefault(path, {})[encoding] = target
    return found


def _is_text(path: str) -> bool:
    name = PurePosixPath(path).name
    return PurePosixPath(name).suffix.lower() in _TEXTS and len(name.encode()) <= _NAME_BYTES_MAX


def _compressed(content: bytes, done: int) -> dict[Coding, bytes]:
    quality = next((q for most, q in _QUALITIES if done <= most), _QUALITY_OF_THE_REST)
    return {
        "br": brotli.compress(content, quality=quality),
        "gzip": gzip.compress(content, _GZIP_LEVEL, mtime=0),
    }
