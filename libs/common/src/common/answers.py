"""The envelope of success: one thing, or a page of things."""

import math
from collections.abc import Collection
from typing import Annotated, Any, Literal

import msgspec
from litestar import MediaType, Response
from litestar.params import QueryParameter

from common import exchange
from common.errors import InvalidError


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
    now = exchange.current()
    if now is not None:
        now.links = _page_links(now.target, meta)
    return Page(data=rows, meta=meta)


def _page_links(target: str, meta: PageMeta) -> str:
    """The ``Link`` header (RFC 8288) of a page; empty where there is neither next nor previous."""
    path, _, query = target.partition("?")
    links = [("next", meta.page + 1)] if meta.has_next else []
    links += [("prev", meta.page - 1)] if meta.has_prev else []
    rest = "".join(f"&{p}" for p in query.split("&") if p and not p.startswith("page="))
    return ", ".join(f'<{path}?page={number}{rest}>; rel="{rel}"' for rel, number in links)


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
