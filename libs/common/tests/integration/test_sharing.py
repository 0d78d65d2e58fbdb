"""Requests that share a round trip share nothing else: neither faults nor rows."""

import asyncio

import asyncpg
import pytest
import sqlalchemy as sa
from libs.common.tests.house import House

from common.database import Database
from common.sharing import Shared
from common.statements import keys

_TEXT = sa.Text()


def divided() -> Shared[int]:
    """100 by a number each."""
    k = keys(by=sa.BigInteger())
    divided_by = sa.literal(100, sa.BigInteger()).op("/", return_type=sa.BigInteger())
    return Shared(sa.select(k.c.i, divided_by(k.c.by)), ["by"])


def companions(*, exclusive: bool) -> Shared[list[str]]:
    """Whom a request travelled with."""
    k = keys(name=_TEXT, number=sa.BigInteger())
    everybody = sa.func.array_agg(k.c.name, type_=sa.ARRAY(sa.Text)).over()
    names = ["name"] if exclusive else []
    return Shared(sa.select(k.c.i, everybody), ["name", "number"], exclusive=names)


def locked() -> Shared[bool]:
    """Whether nobody else was at the name meanwhile."""
    k = keys(name=_TEXT, number=sa.BigInteger())
    got = sa.func.pg_try_advisory_xact_lock(sa.func.hashtextextended(k.c.name, 0), type_=sa.Boolean)
    # the lock is held while it sleeps
    slept = sa.func.pg_sleep(0.002, type_=sa.Text).is_not(None)
    statement = sa.select(k.c.i, sa.and_(got, slept))
    return Shared(statement, ["name", "number"], exclusive=["name"], lanes=3)


@pytest.fixture
def db(house: House) -> Database:
    """A database."""
    return house.announcing


async def test_a_request_that_fails_fails_alone(db: Database) -> None:
    statement = divided()
    numbers = [1, 2, 0, 5, 0, 10, *range(1, 60)]
    found = await asyncio.gather(
        *[db.shared(statement, by=n) for n in numbers], return_exceptions=True
    )
    for number, one in zip(numbers, found, strict=True):
        if number == 0:
            assert isinstance(one, asyncpg.DivisionByZeroError)
        else:
            assert one == (100 // number,)


async def test_a_value_that_does_not_fit_fails_alone(db: Database) -> None:
    statement = divided()
    found = await asyncio.gather(
        *[db.shared(statement, by=n) for n in (1, 2**70, 4)], return_exceptions=True
    )
    assert (found[0], found[2]) == ((100,), (25,))
    assert isinstance(found[1], asyncpg.exceptions.DataError | ValueError)


async def test_who_gives_up_takes_nobody_along(db: Database) -> None:
    statement = divided()
    tasks = [asyncio.create_task(db.shared(statement, by=n)) for n in range(1, 41)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert found[1::2] == [(100 // n,) for n in range(2, 41, 2)]


async def test_requests_travel_together(db: Database) -> None:
    statement = companions(exclusive=False)
    found = await asyncio.gather(*[db.shared(statement, name="a", number=n) for n in range(50)])
    assert max(len(row[0]) for row in found if row) > 10


async def test_exclusive_keys_are_never_in_one_batch(db: Database) -> None:
    statement = companions(exclusive=True)
    asked = [db.shared(statement, name=f"n{n % 7}", number=n) for n in range(70)]
    for row in await asyncio.gather(*asked):
        assert row is not None
        assert len(row[0]) == len(set(row[0])) <= 7


async def test_exclusive_keys_are_never_under_way_twice(db: Database) -> None:
    statement = locked()
    asked = [db.shared(statement, name=f"n{n % 5}", number=n) for n in range(60)]
    assert await asyncio.gather(*asked) == [(True,)] * 60


async def test_who_has_no_row_gets_none(db: Database) -> None:
    k = keys(number=sa.BigInteger())
    odd: Shared[int] = Shared(sa.select(k.c.i, k.c.number).where(k.c.number % 2 == 1), ["number"])
    found = await asyncio.gather(*[db.shared(odd, number=n) for n in range(30)])
    assert found == [(n,) if n % 2 else None for n in range(30)]
