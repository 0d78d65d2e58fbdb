"""Media types by file name: a list of our own, because a machine's differ."""

from pathlib import PurePosixPath

_SCRIPT = "text/javascript; charset=utf-8"
_TEXT = "text/plain; charset=utf-8"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".htm": "text/html; charset=utf-8",
    ".js": _SCRIPT,
    ".mjs": _SCRIPT,
    ".cjs": _SCRIPT,
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".webmanifest": "application/manifest+json",
    ".txt": _TEXT,
    ".md": "text/markdown; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".vtt": "text/vtt; charset=utf-8",
    ".xml": "application/xml",
    ".wasm": "application/wasm",
    # sources: machines take the first for MPEG transport streams
    ".ts": _TEXT,
    ".mts": _TEXT,
    ".cts": _TEXT,
    ".tsx": _TEXT,
    ".jsx": _TEXT,
    # shaders
    ".glsl": _TEXT,
    ".vert": _TEXT,
    ".frag": _TEXT,
    ".vs": _TEXT,
    ".fs": _TEXT,
    ".wgsl": "text/wgsl; charset=utf-8",
    # what game makers' tools write
    ".tmj": "application/json",
    ".tsj": "application/json",
    ".ldtk": "application/json",
    ".tmx": "application/xml",
    ".fnt": _TEXT,
    ".atlas": _TEXT,
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".bmp": "image/bmp",
    ".svg": "image/svg+xml",
    ".ico": "image/x-icon",
    ".ktx2": "image/ktx2",
    ".hdr": "image/vnd.radiance",
    ".ogg": "audio/ogg",
    ".oga": "audio/ogg",
    ".opus": "audio/ogg",
    ".mp3": "audio/mpeg",
    ".wav": "audio/wav",
    ".m4a": "audio/mp4",
    ".aac": "audio/aac",
    ".flac": "audio/flac",
    ".mid": "audio/midi",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".ogv": "video/ogg",
    ".ttf": "font/ttf",
    ".otf": "font/otf",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".glb": "model/gltf-binary",
    ".gltf": "model/gltf+json",
    ".obj": "model/obj",
    ".zip": "application/zip",
    ".gz": "application/gzip",
}
# .bin, .data, .basis, .pck and whatever nobody knows
_OTHER = "application/octet-stream"


def media_type(path: str) -> str:
    """The media type of a file, as its name tells."""
    return _TYPES.get(PurePosixPath(path).suffix.lower(), _OTHER)
