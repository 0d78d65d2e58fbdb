"""A file's bytes on their way out."""

import pytest

from common import exchange
from common.exchange import Exchange
from common.slim import Reply
from projects.replies import sent

_DATA = b"0123456789"


def _ask(**headers: str) -> Reply:
    exchange.enter(Exchange("test"))
    given = {k.replace("_", "-").encode(): v.encode() for k, v in headers.items()}
    return sent(_DATA, "tag", None, given)


@pytest.mark.parametrize(
    ("asked", "status", "body"),
    [
        ("bytes=2-4", 206, b"234"),
        ("bytes=7-", 206, b"789"),
        ("bytes=-3", 206, b"789"),
        ("bytes=8-99", 206, b"89"),
        ("bytes=-99", 206, _DATA),
        ("bytes=10-", 416, b""),
        ("bytes=5-2", 200, _DATA),
        ("bytes=-0", 416, b""),
        ("bytes=-", 200, _DATA),
        ("bytes=1-2,4-5", 200, _DATA),
        ("lines=1-2", 200, _DATA),
        (f"bytes=0-{'9' * 5000}", 200, _DATA),
        (f"bytes={'9' * 5000}-", 200, _DATA),
    ],
)
def test_a_range_is_met_or_refused(asked: str, status: int, body: bytes) -> None:
    answer = _ask(range=asked)
    assert (answer.status_code, answer.body) == (status, body)


def test_a_range_of_something_else_is_the_whole() -> None:
    assert _ask(range="bytes=2-4", if_range='"other"').status_code == 200


def test_who_knows_the_tag_gets_nothing() -> None:
    exchange.enter(Exchange("test"))
    assert sent(_DATA, "tag", "tag", {}).status_code == 304
