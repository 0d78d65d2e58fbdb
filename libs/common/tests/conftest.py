"""Stores of their own for what common does: tests here stop them and start them again."""

from collections.abc import AsyncGenerator, Iterator

import pytest
from libs.common.tests.house import House

from common.database import Database
from fleet import testing
from fleet.testing import Running

_PARTS = ("projects-schema", "registry-schema", "nats-streams", "redis")


@pytest.fixture(scope="session")
def apart() -> Iterator[Running]:
    """PostgreSQL, Redis and NATS that nobody else's tests use."""
    with testing.running(_PARTS) as started:
        yield started


@pytest.fixture
async def house(apart: Running) -> AsyncGenerator[House]:
    """The stores, and a database handle for who announces and for who listens."""
    urls = [apart.env(name)["DATABASE_URL"] for name in ("projects", "registry")]
    handles = [await Database.connect(u, pool_size=4, wait_s=1, statement_s_max=5) for u in urls]
    yield House(apart, *handles)
    for handle in handles:
        await handle.close()
