"""Where a list goes on: a cursor names the place of a row, and fits only the list it came from.

A place is not a number of rows: whatever comes or goes meanwhile, the rows after it stay after it.
"""

import base64
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, override
from uuid import UUID

import msgspec
from litestar.params import QueryParameter

from common import answers
from common.answers import Feed
from common.errors import CursorInvalidError, InvalidError

_MARK_LENGTH = 16
# the longest is that of a path: its 500 bytes as base64, and what stands before them
_LENGTH_MAX = 1_000
_ID_LENGTH = 32
_INVALID = "This cursor is none that was given out for this list."

Cursor = Annotated[
    str | None,
    QueryParameter(
        name="cursor",
        description=(
            "Instead of pages: what the last answer told as `meta.nextCursor`; empty to begin."
        ),
    ),
]
PageNumber = Annotated[int | None, QueryParameter(name="page", ge=1, le=answers.PAGE_MAX)]


class Place[K](msgspec.Struct, frozen=True):
    """A row's place in the order of ``key``; ``id`` decides between equals."""

    key: K
    id: UUID

    @override
    def __str__(self) -> str:
        """The place as text, which ``place`` reads."""
        return f"{self.id.hex}{self.key}"


def place[K](key: Callable[[str], K]) -> Callable[[str], Place[K]]:
    """Return what reads a place whose key ``key`` reads."""
    return lambda text: Place(key(text[_ID_LENGTH:]), UUID(text[:_ID_LENGTH]))


def text(value: str) -> str:
    """Read a key that is text as PostgreSQL has it."""
    if "\0" in value:
        raise ValueError(value)
    return value


def time(value: str) -> datetime:
    """Read a key that is a time, microseconds included."""
    read = datetime.fromisoformat(value)
    if read.tzinfo is not UTC:
        raise ValueError(value)
    return read


def position[T](cursor: str | None, read: Callable[[str], T], *wanted: str) -> T | None:
    """Return where the list of what is ``wanted`` goes on; ``None`` where it begins.

    Raises ``CursorInvalidError`` for what was never told, or of another list. ``read`` raises
    ``ValueError`` for what is no position.
    """
    if not cursor:
        return None

    def checked(marked: str) -> T:
        at = marked[_MARK_LENGTH:]
        # the same bytes have more than one name in base64: one of them was told
        if marked != _marked(at, wanted) or cursor != _encoded(marked):
            raise ValueError(cursor)
        return read(at)

    if len(cursor) > _LENGTH_MAX:
        raise CursorInvalidError(_INVALID)
    try:
        return answers.position(cursor, checked)
    except CursorInvalidError as exc:
        raise CursorInvalidError(_INVALID) from exc


def fed[T](rows: list[T], limit: int, at: Callable[[T], object], *wanted: str) -> Feed[T]:
    """Wrap a stretch of the list of what is ``wanted``: ``limit`` rows, and one more if it goes on.

    ``at`` is a row's position: the next stretch begins after that of the last row told.
    """
    return answers.fed(rows, limit, lambda row: _marked(str(at(row)), wanted))


def alone(cursor: str | None, page: int | None) -> None:
    """Refuse a page of a list that is read by its cursor."""
    if cursor is not None and page is not None:
        raise InvalidError.of("page", "Ask for a page or with a cursor, not for both.")


def _marked(at: str, wanted: tuple[str, ...]) -> str:
    """Nobody is kept out by this: it finds what was cut off, made up, or is of another list."""
    mark = hashlib.sha256(msgspec.json.encode((*wanted, at))).hexdigest()
    return mark[:_MARK_LENGTH] + at


def _encoded(marked: str) -> str:
    return base64.urlsafe_b64encode(marked.encode()).rstrip(b"=").decode()
