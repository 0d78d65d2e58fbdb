"""Work on documents: what is the document's fault is told from what is the machine's."""

import asyncio
import importlib
import os
import signal
import sys
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


def known(module):
    """Whether a module was loaded before anybody asked for it."""
    return module in sys.modules


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


async def test_processes_are_there_and_know_their_work_before_it_comes(workshop):
    # a module that nothing here loads
    workshop.open(importlib.import_module("wave").open)
    await asyncio.sleep(0)
    first = await workshop.do(LARGE, os.getpid)
    assert await workshop.do(LARGE, known, "wave")
    with pytest.raises(SpoiledError):
        await workshop.do(LARGE, os.abort)
    await asyncio.sleep(0)
    assert await workshop.do(LARGE, known, "wave")
    assert await workshop.do(LARGE, os.getpid) != first


async def test_a_process_that_ends_while_nobody_asks_is_replaced(workshop):
    os.kill(await workshop.do(LARGE, os.getpid), signal.SIGKILL)
    await asyncio.sleep(0.1)
    assert await workshop.do(LARGE, len, "ab") == 2


async def test_a_process_has_no_secrets(workshop):
    assert await workshop.do(LARGE, os.getenv, "PATH") is None
