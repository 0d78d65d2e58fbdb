"""Paths and content: the rules that every way into a project shares."""

import base64
import hashlib
import re
import unicodedata
from functools import lru_cache
from typing import Any, Literal
from uuid import UUID

import msgspec

from common.errors import InvalidError, PayloadTooLargeError
from projects.errors import InvalidPathError

type Encoding = Literal["utf-8", "base64"]

PATH_BYTES_MAX = 500
SEGMENT_BYTES_MAX = 255
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)
_REFUSED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_RESERVED = frozenset('\\:*?"<>|')


def checked_path(path: str) -> str:
    """Return ``path`` if every editor and every machine can hold it.

    Relative, ``/``-separated, NFC, at most 500 bytes of UTF-8. Raises ``InvalidPathError``.
    """
    fault = _fault(path)
    if fault:
        raise InvalidPathError(fault, {"field": "path", "message": fault})
    return path


def _fault(path: str) -> str | None:
    if not path:
        return "A path is not empty."
    try:
        size = len(path.encode())
    except UnicodeEncodeError:
        return "A path is valid Unicode."
    if size > PATH_BYTES_MAX:
        return f"A path is at most {PATH_BYTES_MAX} bytes of UTF-8."
    if not unicodedata.is_normalized("NFC", path):
        return "A path is in Unicode normal form C."
    # what is printable has none of them, and that is quickly seen
    if not path.isprintable() and any(unicodedata.category(c) in _REFUSED for c in path):
        return "A path has no control or formatting characters."
    faults = (_segment_fault(segment) for segment in path.split("/"))
    return next((fault for fault in faults if fault), None)


@lru_cache(maxsize=4_096)
def _segment_fault(segment: str) -> str | None:
    if segment in {"", ".", ".."}:
        return "A path has no empty, '.' or '..' segment."
    if len(segment.encode()) > SEGMENT_BYTES_MAX:
        return f"A segment of a path is at most {SEGMENT_BYTES_MAX} bytes."
    if _RESERVED.intersection(segment) or segment[-1] in ". " or segment[0] == " ":
        return 'A segment has none of \\ : * ? " < > | and no space or dot at its end.'
    if _DEVICE.fullmatch(segment):
        return "A segment is not the name of a Windows device."
    if segment.casefold() == ".git":
        return "A project holds no .git folder."
    return None


def folded(path: str) -> str:
    """The path without case: what may be there once."""
    return unicodedata.normalize("NFC", path.casefold())


def folders(path: str) -> list[str]:
    """The folders that a path is in, the outermost first."""
    names = path.split("/")
    return ["/".join(names[:count]) for count in range(1, len(names))]


class Content(msgspec.Struct, frozen=True):
    """Bytes, their SHA-256 (hex) and how JSON shows them."""

    data: bytes
    hash: str
    encoding: Encoding

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return len(self.data)


def content_of(data: bytes, limit: int) -> Content:
    """Look at bytes; raises ``PayloadTooLargeError`` above ``limit``."""
    if len(data) > limit:
        raise PayloadTooLargeError("The file is too large.", {"limit": limit})
    return Content(data, hashlib.sha256(data).hexdigest(), _encoding(data))


def _encoding(data: bytes) -> Encoding:
    # PostgreSQL's text holds no NUL, so that what has one travels as base64
    if b"\0" in data:
        return "base64"
    try:
        data.decode()
    except UnicodeDecodeError:
        return "base64"
    return "utf-8"


def decoded(text: str, encoding: Encoding) -> bytes:
    """The bytes that a JSON body means; raises ``InvalidError``."""
    try:
        if encoding == "utf-8":
            return text.encode()
        return base64.b64decode(text, validate=True)
    # binascii.Error is one of them, and so is what base64 says of text that is not ASCII
    except ValueError as exc:
        raise InvalidError.of("content", f"This is not {encoding}.") from exc


def shown(data: bytes, encoding: str) -> str:
    """Bytes as JSON shows them."""
    return data.decode() if encoding == "utf-8" else base64.b64encode(data).decode()


class Author(msgspec.Struct, frozen=True):
    """Who changes files of a project and in which way; how much the project may then hold."""

    project_id: UUID
    user_id: UUID
    origin: str
    bytes_max: int
    files_max: int
    # who typed what is written back: none where it is not from a document that is open live
    actors: tuple[UUID, ...] = ()


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One change of one file; without ``hash`` the file goes.

    ``must_be`` is ``any``, ``present`` or ``absent``; ``expected`` is the hash of ``If-Match``.
    A change brings ``content``, or the object store has it (``is_stored``), or the project knows
    it. ``last_version`` is the document's where it comes from. ``held`` is the document at the
    path, where collab holds it for this change.
    """

    path: str
    hash: str | None
    size: int = 0
    encoding: str = "utf-8"
    content: bytes | None = None
    is_stored: bool = False
    document_id: UUID | None = None
    last_version: int = 0
    expected: str | None = None
    must_be: str = "any"
    moved_to: str | None = None
    moved_from: str | None = None
    is_quiet: bool = False
    held: UUID | None = None


class Result(msgspec.Struct, frozen=True):
    """What became of a change: ``verdict`` says it, ``body`` is the file now, as JSON.

    ``is_due`` says that the project's next keyframe is. ``live`` is the document that is open live
    there, where nothing was done for that.
    """

    verdict: str
    etag: str | None
    body: bytes | None
    is_due: bool = False
    live: UUID | None = None


class Entry(msgspec.Struct, frozen=True):
    """A file by what is in it: content that is there already, at a path."""

    path: str
    hash: str
    size: int
    encoding: str


class Current(msgspec.Struct, frozen=True):
    """What is at a path."""

    path: str
    folded: str
    document_id: UUID
    version: int
    hash: str
    size: int
    encoding: str


def put(path: str, content: Content, **more: Any) -> Change:  # noqa: ANN401 - the other fields of a Change
    """A change that leaves ``content`` at ``path``."""
    return Change(
        path=path,
        hash=content.hash,
        size=content.size,
        encoding=content.encoding,
        content=content.data,
        **more,
    )
