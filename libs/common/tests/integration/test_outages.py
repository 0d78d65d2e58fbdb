"""A service whose stores go away, one by one, and come back; and one that is told to end."""

import asyncio
import signal
from collections.abc import AsyncGenerator

import pytest
from libs.common.tests.house import House

from common.cache import Cache
from common.errors import NotFoundError, UnavailableError
from common.ids import uuid7
from common.outgoing import Peer
from common.testing.processes import Process, free_port, process
from common.testing.waiting import until
from fleet.testing import Running

APPLICATION = "projects.main:create_app"
PROJECTS = "/api/v1/projects"


@pytest.fixture(scope="module")
async def service(apart: Running) -> AsyncGenerator[Process]:
    """The projects service, as a process."""
    more = {"PORT": str(free_port()), "ACCESS_LOG": "false", "LOG_LEVEL": "critical"}
    async with process(APPLICATION, apart.env("projects") | more) as running:
        yield running


async def dependencies(service: Process) -> dict[str, bool]:
    """What the service says of what it uses."""
    found = (await service.client.get("/health/ready")).json()["dependencies"]
    return {one["name"]: one["isUp"] for one in found}


async def test_without_the_database_it_says_so_at_once_and_comes_back(
    house: House, service: Process
) -> None:
    user = uuid7()
    made = await service.call("POST", PROJECTS, user, sends={"name": "Pong"})
    path = made.headers["location"]
    await asyncio.to_thread(house.stores.stop, "postgres")
    try:
        async with asyncio.timeout(10):
            for method, target in (("GET", path), ("GET", PROJECTS), ("DELETE", path)):
                answer = await service.call(method, target, user)
                error = answer.json()["error"]
                assert (answer.status_code, error["code"]) == (503, "UNAVAILABLE")
                assert int(answer.headers["retry-after"]) >= 1
            ready = await service.client.get("/health/ready")
        assert (ready.status_code, ready.json()["status"]) == (503, "unavailable")
        assert (await dependencies(service))["postgres"] is False
        assert (await service.client.get("/health/live")).status_code == 200
    finally:
        await asyncio.to_thread(house.stores.start, "postgres")
    await until(service.is_ready)
    assert (await service.call("GET", path, user)).status_code == 200


async def test_without_redis_and_nats_it_works(house: House, service: Process) -> None:
    user = uuid7()
    for name in ("redis", "nats"):
        await asyncio.to_thread(house.stores.stop, name)
    try:
        assert await service.is_ready()
        made = await service.call("POST", PROJECTS, user, sends={"name": "Pong"})
        assert made.status_code == 201
        file = f"{made.headers['location']}/files/a"
        assert (await service.call("PUT", file, user, sends={"content": "x"})).status_code == 201
        assert (await service.call("GET", file, user)).json()["data"]["content"] == "x"
        found = await dependencies(service)
        assert found == {"postgres": True, "nats": False, "redis": False}
    finally:
        for name in ("redis", "nats"):
            await asyncio.to_thread(house.stores.start, name)

    async def whole() -> bool:
        return all((await dependencies(service)).values())

    await until(whole, within_s=30)
    key = made.headers["location"].rpartition("/")[2]
    await until(lambda: house.heard(key), within_s=30)


async def test_told_to_end_it_serves_what_still_comes(house: House) -> None:
    user = uuid7()
    more = {"PORT": str(free_port()), "DRAIN_SECONDS": "3"}
    async with process(APPLICATION, house.env() | more) as service:
        made = await service.call("POST", PROJECTS, user, sends={"name": "Pong"})
        service.send(signal.SIGTERM)

        async def is_draining() -> bool:
            answer = await service.client.get("/health/ready")
            return answer.status_code == 503 and answer.json()["status"] == "draining"

        await until(is_draining)
        for number in range(20):
            file = f"{made.headers['location']}/files/{number}"
            answer = await service.call("PUT", file, user, sends={"content": "x"})
            assert answer.status_code == 201
        assert await service.end() == 0


async def test_a_cache_that_is_away_is_missed_only_in_time(house: House) -> None:
    cache = Cache("projects", house.env()["REDIS_URL"])
    await cache.put("a", b"1", kept_s=60)
    assert await cache.get("a") == b"1"
    assert await cache.get("b") is None
    await asyncio.to_thread(house.stores.stop, "redis")
    try:
        assert await cache.get("a") is None
        await cache.put("a", b"2", kept_s=60)
        assert not await cache.answers()
    finally:
        await asyncio.to_thread(house.stores.start, "redis")

    async def works() -> bool:
        await cache.put("a", b"3", kept_s=60)
        return await cache.get("a") == b"3"

    await until(works)
    await cache.close()
    absent = Cache("projects", "")
    await absent.put("a", b"1", kept_s=60)
    assert await absent.get("a") is None
    assert not await absent.answers()
    await absent.close()


async def test_another_service_answers_or_is_unavailable(service: Process) -> None:
    peer = Peer(service.url, service.secret, timeout_s=5, caller="builds")
    with pytest.raises(NotFoundError):
        await peer.read(f"/internal/projects/{uuid7()}/access")
    stranger = Peer(service.url, "wrong", timeout_s=5, caller="builds")
    nobody = Peer(f"http://127.0.0.1:{free_port()}", service.secret, timeout_s=5, caller="builds")
    for one in (stranger, nobody):
        with pytest.raises(UnavailableError):
            await one.read(f"/internal/projects/{uuid7()}/access")
    for one in (peer, stranger, nobody):
        await one.close()
