"""The processes that hash: how many there are, to whom they give way, and when they end."""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import bcrypt
import pytest

from auth.passwords import Passwords
from auth.settings import Settings
from common.errors import UnavailableError
from common.settings import load
from common.testing.waiting import until

NICENESS = 7

type Opened = Callable[..., AbstractAsyncContextManager[Passwords]]


@pytest.fixture
def opened(told: dict[str, str]) -> Opened:
    """Open passwords with some settings changed."""

    @asynccontextmanager
    async def opened(**other: str) -> AsyncGenerator[Passwords]:
        made = Passwords(load(Settings, told | {"PASSWORD_WORKERS": "1"} | other))
        try:
            yield made
        finally:
            await made.close()

    return opened


async def holding(made: Passwords, gate: asyncio.Event) -> None:
    """Keep a place until the gate is opened."""
    async with made.place():
        await gate.wait()


async def test_a_password_is_hashed_and_verified(opened: Opened) -> None:
    async with opened() as made, made.place() as place:
        for password in ("correct horse", 'a "line"\nand \u20ac', "x" * 1024, "a\u0000b"):
            kept = await place.hash(password)
            assert await place.verify(kept, password)
            assert not await place.verify(kept, password + "x")
            assert not await place.verify(None, password)


async def test_a_hash_with_other_costs_is_outdated(opened: Opened) -> None:
    async with opened(PASSWORD_PASSES="2") as made, made.place() as place:
        kept = await place.hash("correct horse")
        assert not place.is_outdated(kept)
    async with opened() as made, made.place() as place:
        assert await place.verify(kept, "correct horse")
        assert place.is_outdated(kept)
        assert place.is_outdated(bcrypt.hashpw(b"correct horse", bcrypt.gensalt(4)).decode())


async def test_there_are_no_more_processes_than_are_wanted(opened: Opened) -> None:
    async with opened(PASSWORD_WORKERS="2", PASSWORD_WAIT_S="30") as made:
        found: set[int] = set()

        async def hashed() -> None:
            async with made.place() as place:
                found.add(place.worker.process.pid)
                await place.hash("correct horse")

        await asyncio.gather(*[hashed() for _ in range(12)])
        assert 1 <= len(found) <= 2


async def test_whoever_hashes_gives_way_to_the_rest(opened: Opened) -> None:
    mine = os.getpriority(os.PRIO_PROCESS, 0)
    async with opened(PASSWORD_NICENESS=str(NICENESS)) as made, made.place() as place:
        await place.hash("correct horse")
        pid = place.worker.process.pid
        assert os.getpriority(os.PRIO_PROCESS, pid) == NICENESS
        # where sessions share processors before priorities count, it has one of its own
        assert os.getsid(pid) == pid
    assert os.getpriority(os.PRIO_PROCESS, 0) == mine


async def test_who_finds_no_room_in_time_is_told_so(opened: Opened) -> None:
    async with opened(PASSWORD_WAIT_S="0") as made:
        gate = asyncio.Event()
        busy = asyncio.create_task(holding(made, gate))
        await asyncio.sleep(0)
        with pytest.raises(UnavailableError) as refused:
            await made.hash("correct horse")
        assert refused.value.headers["retry-after"] == "2"
        gate.set()
        await busy
        assert await made.hash("correct horse")


async def test_who_would_wait_too_long_does_not_wait_at_all(opened: Opened) -> None:
    async with opened(PASSWORD_WAIT_S="3600") as made:
        # each takes an hour, as far as is known
        made._usual_s = 3600.0  # noqa: SLF001 - nobody waits for hours to find that out
        gate = asyncio.Event()
        some = [asyncio.create_task(holding(made, gate)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(UnavailableError):
            await made.hash("correct horse")
        gate.set()
        await asyncio.gather(*some)


async def test_an_answer_that_nobody_waits_for_is_nobody_else_s(opened: Opened) -> None:
    async with opened() as made:
        async with made.place() as place:
            process = place.worker.process
            asked = asyncio.create_task(place.hash("correct horse"))
            await asyncio.sleep(0)
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)
        assert process.returncode is not None
        async with made.place() as place:
            kept = await place.hash("battery staple")
            assert await place.verify(kept, "battery staple")


async def test_a_process_that_died_is_replaced(opened: Opened) -> None:
    async with opened() as made:
        async with made.place() as place:
            first = place.worker.process
        first.kill()
        await asyncio.to_thread(first.wait)
        async with made.place() as place:
            assert place.worker.process.pid != first.pid
            assert await place.hash("correct horse")
            place.worker.process.kill()
            with pytest.raises((UnavailableError, ConnectionError)):
                await place.hash("correct horse")
        assert await made.hash("correct horse")


async def test_a_process_ends_with_whoever_asks_it(opened: Opened) -> None:
    async with opened() as made, made.place() as place:
        process = place.worker.process
        place.worker._writer.close()  # noqa: SLF001 - as when the service is killed

        async def has_ended() -> bool:
            return process.poll() == 0

        await until(has_ended)
