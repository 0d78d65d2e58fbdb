"""What one client may send: so many frames, and so many bytes, whatever frames they come in."""

import asyncio

import pytest

from collab.settings import Settings
from collab.sockets import closing
from collab.sockets.endpoint import Inbox, Limits

SETTINGS = Settings(database_url="", fleet_secret="", nats_url="")
LARGEST = SETTINGS.document_frame_bytes_max


def inbox(closed, per_second=0.0):
    """An inbox as a document's socket has it, that regains next to nothing."""
    limits = Limits(per_second, SETTINGS.frames_burst, 256, LARGEST, LARGEST)
    return Inbox(limits, lambda code, _: closed.append(code))


async def test_a_burst_of_small_frames_is_let_in_and_no_more():
    closed: list[int] = []
    made = inbox(closed)
    assert all(made.count(200) for _ in range(SETTINGS.frames_burst))
    assert not made.count(200)
    assert closed == [closing.TOO_MANY]


async def test_the_largest_frame_is_let_in_with_what_is_typed_around_it():
    closed: list[int] = []
    made = inbox(closed)
    assert all(made.count(size) for size in [100] * 200 + [LARGEST] + [100] * 200)
    assert closed == []


@pytest.mark.parametrize("size", [LARGEST, 1_048_576, 65_536])
async def test_bytes_are_counted_in_whatever_frames_they_come(size):
    closed: list[int] = []
    made = inbox(closed)
    came = 0
    while made.count(size):
        came += size
    assert LARGEST <= came <= 2 * LARGEST
    assert closed == [closing.TOO_MANY]


async def test_what_was_spent_on_bytes_is_regained_with_time():
    closed: list[int] = []
    made = inbox(closed, per_second=1_000_000)
    for _ in range(5):
        assert made.count(LARGEST)
        await asyncio.sleep(0.001)
    assert closed == []
