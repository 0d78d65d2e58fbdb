"""Work on documents: what is the document's fault is told from what is the machine's."""

import os
import signal
import time

import pytest

from collab.settings import Settings
from collab.workshop.workshop import SpoiledError, Workshop
from common.errors import ConflictError, UnavailableError

LARGE = 1 << 20


@pytest.fixture
async def workshop():
    """A workshop with little patience."""
    settings = Settings(
        database_url="",
        fleet_secret="",
        nats_url="",
        workshop_processes=1,
        workshop_cpu_s_max=0.5,
        workshop_wait_s_max=3.0,
    )
    made = Workshop(settings)
    yield made
    await made.close()


def spun():
    """Never come to an end."""
    while True:
        pass


def refused():
    """Refuse, as a service does."""
    raise ConflictError("no", {"hash": "1"})


async def test_what_takes_too_much_or_fails_is_spoiled(workshop):
    assert await workshop.do(LARGE, sorted, "ba") == ["a", "b"]
    for work in ((spun,), (int, "x"), (os.abort,)):
        with pytest.raises(SpoiledError):
            await workshop.do(LARGE, *work)
    assert await workshop.do(LARGE, len, "ab") == 2


async def test_a_busy_or_short_machine_spoils_nothing(workshop):
    for work in ((time.sleep, 60), (signal.raise_signal, signal.SIGKILL)):
        with pytest.raises(UnavailableError):
            await workshop.do(LARGE, *work)
    assert await workshop.do(LARGE, len, "ab") == 2


async def test_a_refusal_comes_as_it_was_meant(workshop):
    for size in (1, LARGE):
        with pytest.raises(ConflictError) as caught:
            await workshop.do(size, refused)
        assert caught.value.details == [{"hash": "1"}]


async def test_a_process_has_no_secrets(workshop):
    assert await workshop.do(LARGE, os.getenv, "PATH") is None
