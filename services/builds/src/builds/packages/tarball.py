"""A package taken apart: regular files and folders, as much as was allowed, and nothing run.

The reader is our own: what a stranger packed must not make it hold or write more than a measure,
and the library's reads the whole of a header of any length.
"""

import gzip
import zlib
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from msgspec import Struct

from builds import stopping
from builds.packages.types import Measure
from builds.types import BuildError

_BLOCK = 512
_DISK_BLOCK = 4096
_PIECE = 1 << 20
_HEADER_BYTES_MAX = 65_536
_FILES = (b"0", b"\0", b"7")
_FOLDER = b"5"
_PAX = b"x"
_PAX_FOR_ALL = b"g"
_LONG_NAME = b"L"
_COMPONENT_BYTES_MAX = 255
_DEPTH_MAX = 64


class _Head(Struct, frozen=True):
    kind: bytes
    name: str
    size: int


class _Unfit(Exception):  # noqa: N818 - said to the user as a BuildError
    pass


def unpack(archive: Path, folder: Path, measure: Measure) -> int:
    """Unpack into ``folder``, without the first component; return the bytes that it takes."""
    try:
        with gzip.open(archive, "rb") as stream:
            return _Reader(stream, folder, measure).all()
    except (OSError, EOFError, zlib.error, ValueError) as exc:
        raise BuildError("DEPENDENCY_REFUSED", f"no package that can be read: {exc}") from exc
    except _Unfit as exc:
        raise BuildError("DEPENDENCY_REFUSED", str(exc)) from exc


class _Reader:
    def __init__(self, stream: BinaryIO | gzip.GzipFile, folder: Path, measure: Measure) -> None:
        self._stream = stream
        self._folder = folder
        self._measure = measure
        self._count = 0
        self._bytes = 0
        self._folders: set[str] = set()
        # of the headers that describe the next member alone
        self._path: str | None = None
        self._size: int | None = None

    def all(self) -> int:
        while (head := self._head()) is not None:
            self._member(head)
        if not self._count:
            raise _Unfit("it has no files")
        return self._bytes

    def _member(self, head: _Head) -> None:
        if head.kind in {_PAX, _PAX_FOR_ALL, _LONG_NAME}:
            self._describe(head)
            return
        size = self._size if self._size is not None else head.size
        name = self._path if self._path is not None else head.name
        self._path = self._size = None
        if size < 0:
            raise _Unfit("it has a file of less than nothing")
        self._take(size)
        if head.kind == _FOLDER:
            self._skip(size)
        elif head.kind in _FILES:
            self._write(_inside(name), size)
        else:
            raise _Unfit(f"it has something that is no file: {name[:100]!r}")

    def _take(self, size: int, *, files: int = 1) -> None:
        self._count += files
        # as the disk counts them: many files of nothing take room too
        self._bytes += max(1, -(-size // _DISK_BLOCK)) * _DISK_BLOCK
        if self._count > self._measure.files or self._bytes > self._measure.bytes:
            raise _Unfit("it has more files or bytes than a package may have")

    def _take_folders(self, path: str) -> None:
        if path.count("/") >= _DEPTH_MAX:
            raise _Unfit(f"it has a path of more than {_DEPTH_MAX} parts: {path[:100]!r}")
        folder = path.rpartition("/")[0]
        while folder and folder not in self._folders:
            self._folders.add(folder)
            self._take(0, files=0)
            folder = folder.rpartition("/")[0]

    def _describe(self, head: _Head) -> None:
        content = self._exactly(head.size, most=_HEADER_BYTES_MAX)
        self._pad(head.size)
        self._count += 1
        if self._count > self._measure.files:
            raise _Unfit("it has more files than a package may have")
        if head.kind == _LONG_NAME:
            self._path = content.rstrip(b"\0").decode()
        elif head.kind == _PAX:
            records = _records(content)
            self._path = records.get("path", self._path)
            self._size = int(records["size"]) if "size" in records else self._size

    def _write(self, path: str, size: int) -> None:
        if not path:
            self._skip(size)
            return
        self._take_folders(path)
        target = self._folder / path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as file:
                left = size
                while left:
                    piece = self._exactly(min(left, _PIECE), most=_PIECE)
                    file.write(piece)
                    left -= len(piece)
        except (FileExistsError, NotADirectoryError, IsADirectoryError) as exc:
            raise _Unfit(f"a file and a folder of it have one name: {path[:100]!r}") from exc
        self._pad(size)

    def _skip(self, size: int) -> None:
        left = size
        while left:
            left -= len(self._exactly(min(left, _PIECE), most=_PIECE))
        self._pad(size)

    def _pad(self, size: int) -> None:
        self._exactly(-size % _BLOCK, most=_BLOCK)

    def _exactly(self, size: int, *, most: int) -> bytes:
        if not 0 <= size <= most:
            raise _Unfit("it has a header without an end")
        stopping.look()
        content = self._stream.read(size)
        if len(content) != size:
            raise EOFError("it ends too early")
        return content

    def _head(self) -> _Head | None:
        block = self._stream.read(_BLOCK)
        if not block.strip(b"\0"):
            return None
        if len(block) != _BLOCK or _number(block[148:156]) != _sum(block):
            raise ValueError("no header where one should be")
        name = block[:100].rstrip(b"\0").partition(b"\0")[0].decode()
        if block[257:262] == b"ustar" and block[262:263] == b"\0":
            prefix = block[345:500].partition(b"\0")[0].decode()
            name = f"{prefix}/{name}" if prefix else name
        return _Head(block[156:157], name, _number(block[124:136]))


def _number(text: bytes) -> int:
    if text[:1] in {b"\x80", b"\xff"}:
        raise ValueError("a size that no file has")
    return int(text.rstrip(b"\0 ").lstrip() or b"0", 8)


def _sum(block: bytes) -> int:
    return sum(block[:148]) + 8 * 32 + sum(block[156:])


def _records(content: bytes) -> dict[str, str]:
    records: dict[str, str] = {}
    while content:
        length, _, _ = content.partition(b" ")
        end = int(length)
        if not len(length) < end <= len(content):
            raise ValueError("a header that describes nothing")
        key, _, value = content[len(length) + 1 : end - 1].decode().partition("=")
        records[key] = value
        content = content[end:]
    return records


def _inside(name: str) -> str:
    """The path without its first component; nothing for what lies beside it."""
    parts = PurePosixPath(name).parts
    is_long = any(len(part.encode()) > _COMPONENT_BYTES_MAX for part in parts)
    if name.startswith("/") or ".." in parts or "\0" in name or "\\" in name or is_long:
        raise _Unfit(f"it reaches out of its folder: {name[:100]!r}")
    return "/".join(parts[1:])
