"""Updates become durable in order, once, or somebody is told."""

import asyncio

import pytest

from collab.documents.writer import Signals, Writer
from collab.settings import Settings
from common.errors import UnavailableError

UPDATE = b"\x00\x00"


class Store:
    """Keeps entries; fails or refuses as told."""

    def __init__(self):
        self.entries = []
        self.failures = 0
        self.is_fenced = False

    async def append(self, entry):
        """Keep an entry."""
        await asyncio.sleep(0)
        if self.failures:
            self.failures -= 1
            raise OSError
        if not self.is_fenced:
            self.entries.append(entry)
        return not self.is_fenced


@pytest.fixture
def told():
    """What was signalled."""
    return []


@pytest.fixture
def store():
    """An empty store."""
    return Store()


@pytest.fixture
async def writer(store, told):
    """A writer with short patience."""
    settings = Settings(
        database_url="",
        fleet_secret="",
        nats_url="",
        log_window_s=0.01,
        log_retry_s=0.01,
        unacknowledged_s_max=0.05,
        unacknowledged_bytes_max=100,
        log_rows_max=3,
    )
    signals = Signals(
        fenced=lambda: told.append("fenced"),
        unavailable=lambda: told.append("unavailable"),
        long=lambda: told.append("long"),
        accepted=lambda: None,
    )
    return Writer(settings, store.append, signals, seq=4, rows=0, size=0)


async def test_a_moments_updates_are_one_entry(writer, store):
    mark = [writer.add(UPDATE, actor) for actor in ("a", "b", "a")][-1]
    done = []
    writer.after(mark, lambda: done.append(True))
    assert not done
    await writer.settled()
    assert done
    assert [(entry.seq, entry.actors) for entry in store.entries] == [(5, "a,b")]
    writer.after(mark, lambda: done.append(True))
    assert len(done) == 2


async def test_a_failure_is_tried_again(writer, store, told):
    store.failures = 2
    writer.add(UPDATE, "a")
    await writer.settled()
    assert writer.is_settled
    assert (len(store.entries), told) == (1, [])


async def test_patience_ends(writer, store, told):
    store.failures = 1_000
    mark = writer.add(UPDATE, "a")
    done = []
    writer.after(mark, lambda: done.append(True))
    await writer.settled()
    assert (told, done) == (["unavailable"], [])


async def test_too_much_that_waits_is_too_much(writer, told):
    for _ in range(60):
        writer.add(UPDATE, "a")
    assert told == ["unavailable"]
    await writer.settled()


async def test_a_number_that_is_taken_is_told(writer, store, told):
    store.is_fenced = True
    writer.add(UPDATE, "a")
    await writer.settled()
    assert told == ["fenced"]


async def test_a_long_log_is_told(writer, told):
    for _ in range(3):
        writer.add(UPDATE, "a")
        await writer.settled()
    assert told == ["long"]


async def test_who_waits_is_told_when_nothing_is_written_any_more(writer):
    await writer.seal(hold=True)
    waiting = asyncio.create_task(writer.reached(writer.add(UPDATE, "a")))
    await asyncio.sleep(0)
    writer.lose()
    with pytest.raises(UnavailableError):
        # long before its patience would end
        async with asyncio.timeout(5):
            await waiting
