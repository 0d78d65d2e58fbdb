"""Frames leave at once while it is quiet, and together while it is busy."""

import asyncio

import pytest

from collab.documents.relay import Relay


class Peer:
    """Keeps what is written to it."""

    far = None

    def __init__(self):
        self.writes = []

    def write(self, data):
        """Keep it."""
        self.writes.append(data)


@pytest.fixture
async def room():
    """A relay with two peers."""
    relay = Relay(0.02)
    peers = [Peer(), Peer()]
    for peer in peers:
        relay.audience.add(peer)
    return relay, *peers


async def test_the_first_frame_leaves_at_once(room):
    relay, one, two = room
    relay.send(b"a", one)
    await asyncio.sleep(0)
    assert (one.writes, two.writes) == ([], [b"a"])


async def test_what_follows_leaves_together(room):
    relay, one, two = room
    relay.send(b"a", one)
    await asyncio.sleep(0)
    relay.send(b"b", one)
    relay.send(b"c", two)
    relay.send(b"d", None)
    assert two.writes == [b"a"]
    await asyncio.sleep(0.05)
    assert one.writes == [b"cd"]
    assert two.writes == [b"a", b"bd"]


async def test_flushing_leaves_nothing_behind(room):
    relay, one, _ = room
    relay.send(b"a", None)
    relay.flush()
    await asyncio.sleep(0.05)
    assert one.writes == [b"a"]
