"""An archive that depends on nothing but what is in it."""

import shutil
import zipfile
from collections.abc import Mapping
from io import BufferedIOBase, BytesIO
from pathlib import Path, PurePosixPath

from builds import stopping
from builds.packagers.types import Content

_EPOCH = (1980, 1, 1, 0, 0, 0)
_PERMISSIONS = 0o100644 << 16
_UNIX = 3
_LEVEL = 6
_PIECE = 1 << 20
# compressed already: deflating them again costs time and saves nothing
_DENSE = frozenset(
    {".png", ".jpg", ".jpeg", ".webp", ".avif", ".gif", ".ogg", ".mp3", ".m4a", ".mp4", ".webm"}
    | {".woff", ".woff2", ".zip", ".gz", ".br", ".glb", ".ktx2"}
)


def write(files: Mapping[str, Content], target: Path) -> None:
    """Zip the files: the same ones make the same bytes, whenever and wherever."""
    with zipfile.ZipFile(target, "w") as made:
        for path, content in sorted(files.items()):
            entry = zipfile.ZipInfo(path, _EPOCH)
            entry.create_system = _UNIX
            entry.external_attr = _PERMISSIONS
            is_dense = PurePosixPath(path).suffix.lower() in _DENSE
            entry.compress_type = zipfile.ZIP_STORED if is_dense else zipfile.ZIP_DEFLATED
            entry.compress_level = _LEVEL
            entry.file_size = size(content)
            with opened(content) as source, made.open(entry, "w") as inside:
                shutil.copyfileobj(source, inside, _PIECE)


def opened(content: Content) -> BufferedIOBase:
    """Open a content to be read, for a build that is under way."""
    stopping.look()
    return BytesIO(content) if isinstance(content, bytes) else content.open("rb")


def size(content: Content) -> int:
    """How many bytes a content has."""
    return len(content) if isinstance(content, bytes) else content.stat().st_size
