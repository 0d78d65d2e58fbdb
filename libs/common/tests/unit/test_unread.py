"""A body that nobody wanted."""

import pytest
from litestar.types import HTTPReceiveMessage

from common import unread
from common.errors import InvalidError


def _sent(*pieces: bytes, is_whole: bool = True) -> list[HTTPReceiveMessage]:
    messages: list[HTTPReceiveMessage] = [
        {"type": "http.request", "body": piece, "more_body": not is_whole or i + 1 < len(pieces)}
        for i, piece in enumerate(pieces)
    ]
    return messages if is_whole else [*messages, {"type": "http.disconnect"}]


def _body(messages: list[HTTPReceiveMessage]) -> unread.Body:
    async def receive() -> HTTPReceiveMessage:
        return messages.pop(0)

    return unread.Body(receive)


@pytest.mark.parametrize("is_whole", [True, False])
async def test_what_is_left_is_taken(*, is_whole: bool) -> None:
    messages = _sent(b"a", b"b", b"c", is_whole=is_whole)
    body = _body(messages)
    assert (await body())["type"] == "http.request"
    await body.finish(100)
    assert messages == []
    await body.finish(100)


async def test_a_body_that_breaks_off_is_the_callers_fault() -> None:
    body = _body(_sent(b"a", is_whole=False))
    assert (await body())["type"] == "http.request"
    with pytest.raises(InvalidError):
        await body()


async def test_who_goes_after_the_body_goes() -> None:
    body = _body([*_sent(b"a"), {"type": "http.disconnect"}])
    assert (await body())["type"] == "http.request"
    assert (await body())["type"] == "http.disconnect"


async def test_there_is_a_limit_to_it() -> None:
    messages = _sent(b"aa", b"bb", b"cc", b"dd")
    await _body(messages).finish(3)
    assert len(messages) == 2


@pytest.mark.parametrize(
    ("headers", "is_expected"),
    [
        ({}, False),
        ({b"content-length": b"0"}, False),
        ({b"content-length": b"7"}, True),
        ({b"transfer-encoding": b"chunked"}, True),
    ],
)
def test_headers_tell_of_a_body(headers: dict[bytes, bytes], *, is_expected: bool) -> None:
    assert unread.is_expected(headers) is is_expected
