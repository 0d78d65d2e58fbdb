"""People at the gateway."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import msgspec
import pytest

from common.ids import uuid7
from fleet.play import Browsing
from fleet.testing import Running

# everybody comes from an address of their own: who is unknown is counted by it
_ADDRESSES = itertools.count(1)
_DEADLINE_S = 30.0
_LOOK_S = 0.1


class Person(msgspec.Struct, frozen=True):
    """Somebody with an account, and a client that carries their token."""

    client: httpx.AsyncClient
    user_id: str
    username: str
    token: str
    refresh_token: str
    # where they come from
    address: str

    async def project(self, **fields: object) -> str:
        """Create a project and return its id."""
        answer = await self.client.post("/api/v1/projects", json={"name": "Game", **fields})
        assert answer.status_code == 201, answer.text
        made: str = answer.json()["data"]["id"]
        return made


def own_address() -> str:
    """An address of this machine that nobody else comes from."""
    number = next(_ADDRESSES)
    return f"127.20.{number // 250}.{number % 250 + 1}"


def caller(base_url: str, address: str) -> httpx.AsyncClient:
    """A client that comes from an address."""
    transport = Browsing(local_address=address)
    return httpx.AsyncClient(base_url=base_url, timeout=30, transport=transport)


@pytest.fixture
async def gateway(fleet_up: Running) -> AsyncIterator[httpx.AsyncClient]:
    """A client that says nothing of itself."""
    async with caller(fleet_up.gateway_url, own_address()) as client:
        yield client


@pytest.fixture
async def person(fleet_up: Running) -> AsyncIterator[Callable[[], Awaitable[Person]]]:
    """A way to meet somebody new."""
    clients: list[httpx.AsyncClient] = []

    async def meet() -> Person:
        address = own_address()
        client = caller(fleet_up.gateway_url, address)
        clients.append(client)
        name = f"p{uuid7().hex[-20:]}"
        body = {"email": f"{name}@example.org", "username": name, "password": "correct horse"}
        answer = await client.post("/api/v1/auth/register", json={**body, "tokenDelivery": "body"})
        assert answer.status_code == 201, answer.text
        data = answer.json()["data"]
        client.headers["authorization"] = f"Bearer {data['accessToken']}"
        user_id = data["user"]["id"]
        tokens = data["accessToken"], data["refreshToken"]
        return Person(client, user_id, name, *tokens, address)

    yield meet
    for client in clients:
        await client.aclose()


async def eventually[T](look: Callable[[], Awaitable[T | None]]) -> T:
    """Look again and again, for a bounded time, until there is something."""
    deadline = time.monotonic() + _DEADLINE_S
    while time.monotonic() < deadline:
        found = await look()
        if found:
            return found
        await asyncio.sleep(_LOOK_S)
    raise AssertionError("It did not happen in time.")


@pytest.fixture
def until() -> Callable[[Callable[[], Awaitable[object]]], Awaitable[object]]:
    """Look again and again, for a bounded time, until there is something."""
    return eventually
