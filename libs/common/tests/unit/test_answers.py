"""Pages and feeds: how much there is, and where the rest is."""

import pytest

from common import answers, exchange
from common.errors import CursorInvalidError, InvalidError
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


def test_a_feed_says_where_it_goes_on() -> None:
    now = Exchange("r", target="/things?cursor=x&kind=a&limit=2")
    exchange.enter(now)
    feed = answers.fed([30, 20, 10], 2, lambda row: row)
    assert (feed.data, feed.meta.limit) == ([30, 20], 2)
    assert answers.position(feed.meta.next_cursor, int) == 20
    assert now.links == f'</things?cursor={feed.meta.next_cursor}&kind=a&limit=2>; rel="next"'


def test_a_feed_ends() -> None:
    now = Exchange("r", target="/things")
    exchange.enter(now)
    for rows in ([], [1], [2, 1]):
        assert answers.fed(rows, 2, lambda row: row).meta.next_cursor is None
    assert now.links == ""
    assert answers.position(None, int) is None


@pytest.mark.parametrize("cursor", ["", "x", "MQ==x", "eA", "\u20ac", "gICA"])
def test_a_cursor_that_was_not_given_out_is_refused(cursor: str) -> None:
    with pytest.raises(CursorInvalidError):
        answers.position(cursor, int)
