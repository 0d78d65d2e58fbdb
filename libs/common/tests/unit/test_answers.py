"""Pages: how many there are, and where the others are."""

import pytest

from common import answers, exchange
from common.errors import InvalidError
from common.exchange import Exchange

_SORTS = {"name": None, "createdAt": None}


def test_a_page_says_where_it_is() -> None:
    now = Exchange("r", target="/things?sort=name&page=2&limit=2")
    exchange.enter(now)
    meta = answers.paged([1, 2], 5, answers.window(2, 2, "name", _SORTS)).meta
    assert (meta.page, meta.pages, meta.total, meta.has_next, meta.has_prev) == (
        2,
        3,
        5,
        True,
        True,
    )
    following, previous = now.links.split(", ")
    assert following == '</things?page=3&sort=name&limit=2>; rel="next"'
    assert previous == '</things?page=1&sort=name&limit=2>; rel="prev"'


def test_an_empty_list_has_no_pages() -> None:
    exchange.enter(Exchange("r"))
    meta = answers.paged([], 0, answers.window(1, 20, "name", _SORTS)).meta
    assert (meta.pages, meta.has_next, meta.has_prev) == (0, False, False)


def test_a_large_limit_is_clamped() -> None:
    assert answers.window(1, 9999, "-createdAt", _SORTS).limit == 100


def test_a_field_that_is_not_sortable_is_refused() -> None:
    with pytest.raises(InvalidError):
        answers.window(1, 20, "password", _SORTS)
