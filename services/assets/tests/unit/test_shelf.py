"""What was delivered lately, in memory."""

import asyncio

import pytest

from assets.delivery.shelf import Shelf

A, B, C = [(letter * 64, None) for letter in "abc"]


def giving(data: bytes, times: list[bytes] | None = None):
    async def fetch() -> bytes:
        if times is not None:
            times.append(data)
        await asyncio.sleep(0)
        return data

    return fetch


async def test_it_is_fetched_once_and_kept():
    shelf = Shelf(800)
    times: list[bytes] = []
    answers = await asyncio.gather(*[shelf.filled(A, 100, giving(b"a", times)) for _ in range(9)])
    assert (set(answers), times) == ({b"a"}, [b"a"])
    assert shelf.find(A) == b"a"


async def test_the_least_lately_used_makes_room():
    shelf = Shelf(800)
    for number in range(8):
        await shelf.filled((str(number), None), 100, giving(bytes(100)))
    assert shelf.find(("0", None)) is not None
    await shelf.filled(A, 100, giving(bytes(100)))
    assert shelf.find(("1", None)) is None
    assert shelf.find(("0", None)) is not None


async def test_what_is_large_is_not_kept():
    shelf = Shelf(800)
    times: list[bytes] = []
    assert await shelf.filled(A, 101, giving(b"a", times)) is None
    assert times == []


async def test_what_is_coming_counts():
    shelf, gate = Shelf(800), asyncio.Event()

    async def slow() -> bytes:
        await gate.wait()
        return b"x"

    coming = [asyncio.create_task(shelf.filled((str(n), None), 100, slow)) for n in range(8)]
    await asyncio.sleep(0)
    assert await shelf.filled(A, 100, giving(b"a")) is None
    gate.set()
    assert await asyncio.gather(*coming) == [b"x"] * 8
    assert await shelf.filled(A, 100, giving(b"a")) == b"a"


async def test_a_failure_is_everybodys_and_leaves_room():
    shelf = Shelf(800)

    async def fail() -> bytes:
        await asyncio.sleep(0)
        raise OSError

    for _ in range(20):
        failed = await asyncio.gather(
            *[shelf.filled(A, 100, fail) for _ in range(3)], return_exceptions=True
        )
        assert [type(one) for one in failed] == [OSError] * 3
    assert await shelf.filled(B, 100, giving(b"b")) == b"b"


async def test_it_goes_on_where_who_asked_first_goes_away():
    shelf, gate = Shelf(800), asyncio.Event()

    async def slow() -> bytes:
        await gate.wait()
        return b"c"

    first = asyncio.create_task(shelf.filled(C, 100, slow))
    second = asyncio.create_task(shelf.filled(C, 100, slow))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    gate.set()
    assert await second == b"c"


async def test_none_is_kept_where_there_is_no_memory_for_any():
    shelf = Shelf(0)
    assert await shelf.filled(A, 1, giving(b"a")) is None
    await shelf.close()
