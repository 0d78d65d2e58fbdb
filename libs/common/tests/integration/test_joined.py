"""A request that is one transaction may take its time: others have their connections meanwhile."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
import sqlalchemy as sa
from libs.common.tests.house import House

from common.database import Database

ONE = sa.select(sa.literal(1))
POOL = 4


@pytest.fixture
async def db(house: House) -> AsyncGenerator[Database]:
    """A database with few connections, for which nobody waits long."""
    url = house.env()["DATABASE_URL"]
    db = await Database.connect(url, pool_size=POOL, wait_s=0.3, statement_s_max=5)
    yield db
    await db.close()


async def test_half_of_the_connections_are_left_to_others(db: Database) -> None:
    done = asyncio.Event()

    async def request(begun: asyncio.Event) -> None:
        async with db.joined() as joined:
            assert await joined.one(ONE, int) == 1
            begun.set()
            await done.wait()

    async with asyncio.TaskGroup() as tasks:
        begun = [asyncio.Event() for _ in range(POOL // 2)]
        for one in begun:
            tasks.create_task(request(one))
        for one in begun:
            await one.wait()
        with pytest.raises(TimeoutError):
            async with db.joined():
                pass
        # all the others at once
        async with db.transaction() as tx, db.transaction() as other:
            assert [await tx.one(ONE, int), await other.one(ONE, int)] == [1, 1]
        done.set()


async def failing(db: Database) -> None:
    async with db.joined() as joined:
        assert await joined.one(ONE, int) == 1
        raise LookupError


async def test_who_is_done_makes_room_also_after_a_failure(db: Database) -> None:
    for _ in range(POOL):
        with pytest.raises(LookupError):
            await failing(db)
    async with db.joined() as joined:
        assert await joined.one(ONE, int) == 1
