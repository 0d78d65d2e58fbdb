"""Which form of a file a request gets, and which part of it (RFC 9110)."""

import re
from typing import Literal

from msgspec import Struct

from builds.encodings import ENDINGS, Coding
from builds.types import Page
from common import ranges

# by preference, where the client has none
_CODINGS: tuple[Coding, ...] = ("br", "gzip")
_ITEM = re.compile(r"([a-z0-9*-]+)\s*(?:;\s*q\s*=\s*([01](?:\.[0-9]{0,3})?))?")


class Form(Struct, frozen=True):
    """Bytes that stand for a file: its own, or a compressed copy of them."""

    size: int
    etag: str
    # how they are encoded, whoever did it
    coding: Coding | None
    # what the key of the copy has after the file's
    end: str = ""
    # where it begins in the site's pack, if it is there
    at: int | None = None


class Asked(Struct, frozen=True):
    """What a request says of the form and the part that it wants."""

    accept_encoding: str = ""
    if_none_match: str = ""
    if_range: str | None = None
    byte_range: str | None = None


class Answer(Struct, frozen=True):
    """What to answer with: which bytes, from the first up to the one before ``end``."""

    status: Literal[200, 206, 304, 416]
    form: Form
    first: int = 0
    end: int = 0


def answer(page: Page, asked: Asked) -> Answer:
    """Choose. A part is one of the file's own bytes, which every client can put together."""
    plain = _plain(page)
    best = _best(page, plain, asked.accept_encoding)
    if _names(asked.if_none_match, best.etag):
        return Answer(304, best)
    is_same = asked.if_range is None or asked.if_range == plain.etag
    span = ranges.wanted(asked.byte_range if is_same else None, page.size)
    if span == "whole":
        return Answer(200, best, 0, best.size)
    if span == "unsatisfiable":
        return Answer(416, plain)
    return Answer(206, plain, span[0], span[1] + 1)


def _plain(page: Page) -> Form:
    return Form(page.size, f'"{page.sha256}"', page.coding, at=page.at)


def _best(page: Page, plain: Form, accept_encoding: str) -> Form:
    """The form that the client likes best; of a file that is encoded in itself there is one."""
    for coding in _accepted(accept_encoding):
        if coding in page.encodings:
            etag = f'"{page.sha256}-{coding}"'
            size, at = page.encodings[coding], page.where(coding)
            return Form(size, etag, coding, ENDINGS[coding], at)
    return plain


def _accepted(header: str) -> list[Coding]:
    """The codings that the client takes and does not like less than none, best first."""
    weights: dict[str, float] = {}
    for item in header.lower().split(","):
        if found := _ITEM.fullmatch(item.strip()):
            weights[found[1]] = float(found[2] or 1)
    anything = weights.get("*", 0.0)
    plain = weights.get("identity", 0.0)
    wanted = [(weights.get(one, anything), one) for one in _CODINGS]
    # the sort is stable: of two that are liked alike the first of ours
    wanted.sort(key=lambda item: -item[0])
    return [one for weight, one in wanted if weight > 0 and weight >= plain]


def _names(header: str, etag: str) -> bool:
    """Whether a list of entity tags has ``etag``, by the weak comparison."""
    tags = [one.strip().removeprefix("W/") for one in header.split(",")]
    return etag in tags or "*" in tags
