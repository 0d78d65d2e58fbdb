"""The envelope of success: one thing, a page of a list, or a stretch of a feed."""

import base64
import math
from collections.abc import Callable, Collection
from typing import Annotated, Any, Literal

import msgspec
from litestar import MediaType, Response
from litestar.params import QueryParameter

from common import exchange
from common.errors import CursorInvalidError, InvalidError


class Meta(msgspec.Struct, frozen=True, rename="camel"):
    """What is said beside the data."""

    request_id: str


class Answer[T](msgspec.Struct, frozen=True, kw_only=True):
    """``data`` is the thing itself."""

    success: Literal[True] = True
    data: T
    meta: Meta


class PageMeta(msgspec.Struct, frozen=True, rename="camel"):
    """Where in the list this page is."""

    page: int
    limit: int
    total: int
    pages: int
    has_next: bool
    has_prev: bool
    request_id: str


class Page[T](msgspec.Struct, frozen=True, kw_only=True):
    """``data`` is a page of a list."""

    success: Literal[True] = True
    data: list[T]
    meta: PageMeta


class FeedMeta(msgspec.Struct, frozen=True, rename="camel"):
    """Where this stretch of a feed goes on; nowhere, if it is the last."""

    limit: int
    next_cursor: str | None
    request_id: str


class Feed[T](msgspec.Struct, frozen=True, kw_only=True):
    """``data`` is a stretch of a feed, the newest first."""

    success: Literal[True] = True
    data: list[T]
    meta: FeedMeta


class Window(msgspec.Struct, frozen=True):
    """Which rows of a list are wanted: ``limit`` of them after ``offset``, in ``sort`` order."""

    page: int
    limit: int
    sort: str

    @property
    def offset(self) -> int:
        """How many rows come before."""
        return (self.page - 1) * self.limit


LIMIT_MAX = 100
PAGE_MAX = 1_000_000
PageNumber = Annotated[int, QueryParameter(name="page", ge=1, le=PAGE_MAX)]
PageLimit = Annotated[int, QueryParameter(name="limit", ge=1)]
Cursor = Annotated[str | None, QueryParameter(name="cursor", max_length=200)]


def request_id() -> str:
    """The id of the request being handled."""
    now = exchange.current()
    return now.request_id if now else ""


def answer[T](data: T) -> Answer[T]:
    """Wrap one thing."""
    return Answer(data=data, meta=Meta(request_id()))


def window(page: int, limit: int, sort: str, allowed: Collection[str]) -> Window:
    """Check what a list was asked for; ``allowed`` has the sortable fields.

    Raises ``InvalidError`` for a field that is not sortable; a large limit is clamped.
    """
    field = sort.removeprefix("-")
    if field not in allowed:
        raise InvalidError.of("sort", f"Sort by one of: {', '.join(sorted(allowed))}.")
    return Window(page, min(limit, LIMIT_MAX), sort)


def paged[T](rows: list[T], total: int, wanted: Window) -> Page[T]:
    """Wrap a page of a list of ``total``."""
    pages = math.ceil(total / wanted.limit)
    meta = PageMeta(
        page=wanted.page,
        limit=wanted.limit,
        total=total,
        pages=pages,
        has_next=wanted.page < pages,
        has_prev=wanted.page > 1,
        request_id=request_id(),
    )
    links = {"next": str(meta.page + 1)} if meta.has_next else {}
    _link("page", links | ({"prev": str(meta.page - 1)} if meta.has_prev else {}))
    return Page(data=rows, meta=meta)


def position[T](cursor: str | None, kind: Callable[[str], T]) -> T | None:
    """Return where a feed goes on, from what was told as ``nextCursor``.

    Raises ``CursorInvalidError`` for what never was.
    """
    if cursor is None:
        return None
    try:
        padded = cursor.encode() + b"=" * (-len(cursor) % 4)
        return kind(base64.b64decode(padded, b"-_", validate=True).decode())
    except ValueError as exc:
        raise CursorInvalidError("This cursor is none that was given out.") from exc


def fed[T](rows: list[T], limit: int, at: Callable[[T], object]) -> Feed[T]:
    """Wrap a stretch of a feed: ``limit`` rows, and one more that tells that it goes on.

    ``at`` is a row's position: the next stretch begins after that of the last row told.
    """
    told, next_cursor = rows[:limit], None
    if len(rows) > limit:
        position_of = str(at(told[-1])).encode()
        next_cursor = base64.urlsafe_b64encode(position_of).rstrip(b"=").decode()
        _link("cursor", {"next": next_cursor})
    return Feed(data=told, meta=FeedMeta(limit, next_cursor, request_id()))


def _link(name: str, links: dict[str, str]) -> None:
    """Let the answer have a ``Link`` header (RFC 8288): this address, with another ``name``."""
    now = exchange.current()
    if now is None:
        return
    path, _, query = now.target.partition("?")
    rest = "".join(f"&{p}" for p in query.split("&") if p and p.partition("=")[0] != name)
    now.links = ", ".join(f'<{path}?{name}={x}{rest}>; rel="{rel}"' for rel, x in links.items())


def raw(body: bytes, *, status: int = 200, location: str | None = None) -> Response[Any]:
    """Wrap one thing that is JSON already."""
    headers = {"location": location} if location else {}
    return Response(wrap(body), status_code=status, headers=headers, media_type=MediaType.JSON)


def wrap(body: bytes) -> bytes:
    """Put encoded data into the envelope of success."""
    ids = request_id().encode()
    return b'{"success":true,"data":' + body + b',"meta":{"requestId":"' + ids + b'"}}'


def raw_page(items: bytes, total: int, wanted: Window) -> Response[Any]:
    """Wrap a page of things that are a JSON array already."""
    meta = msgspec.json.encode(paged([], total, wanted).meta)
    body = b'{"success":true,"data":' + items + b',"meta":' + meta + b"}"
    return Response(body, media_type=MediaType.JSON)
