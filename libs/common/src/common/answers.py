"""The envelope of success: one thing, or a page of things."""

import math
import re
from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from litestar.params import Parameter

from common import exchange
from common.errors import InvalidError


class Meta(msgspec.Struct, frozen=True, rename="camel"):
    """What is said beside the data."""

    request_id: str


class Answer[T](msgspec.Struct, frozen=True):
    """``data`` is the thing itself."""

    data: T
    meta: Meta
    success: Literal[True] = True


class PageMeta(msgspec.Struct, frozen=True, rename="camel"):
    """Where in the list this page is."""

    page: int
    limit: int
    total: int
    pages: int
    has_next: bool
    has_prev: bool
    request_id: str


class Page[T](msgspec.Struct, frozen=True):
    """``data`` is a page of a list."""

    data: list[T]
    meta: PageMeta
    success: Literal[True] = True


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
PageNumber = Annotated[int, Parameter(query="page", ge=1, le=PAGE_MAX)]
PageLimit = Annotated[int, Parameter(query="limit", ge=1)]


def request_id() -> str:
    """The id of the request being handled."""
    now = exchange.current()
    return now.request_id if now else ""


def answer[T](data: T) -> Answer[T]:
    """Wrap one thing."""
    return Answer(data, Meta(request_id()))


def window(page: int, limit: int, sort: str, allowed: Mapping[str, object]) -> Window:
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
    return Page(rows, meta)


def page_links(path: str, query: str, meta: PageMeta) -> str:
    """The ``Link`` header (RFC 8288) of a page; empty where there is neither next nor previous."""
    links = [("next", meta.page + 1)] if meta.has_next else []
    links += [("prev", meta.page - 1)] if meta.has_prev else []
    rest = "&".join(p for p in query.split("&") if p and not re.match(r"page=", p))
    more = f"&{rest}" if rest else ""
    return ", ".join(f'<{path}?page={number}{more}>; rel="{rel}"' for rel, number in links)
