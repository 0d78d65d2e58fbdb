"""What is only a convenience may fail: nothing that was acknowledged is lost, nothing lies."""

import asyncio
import os
import signal

import msgspec
import nats
import pytest

from fleet.testing import Running


@pytest.fixture
async def without(fleet_up: Running):
    """Stop a process for one test."""
    stopped: list[str] = []

    async def stop(name: str) -> None:
        await asyncio.to_thread(fleet_up.stop, name)
        stopped.append(name)

    yield stop
    for name in stopped:
        await asyncio.to_thread(fleet_up.start, name)


async def test_everything_works_without_redis(person, without) -> None:
    await without("redis")
    ann = await person()
    project = await ann.project()
    url = f"/api/v1/projects/{project}/files/a.txt"
    assert (await ann.client.put(url, json={"content": "1"})).status_code == 201
    assert (await ann.client.get(url)).json()["data"]["content"] == "1"
    assert (await ann.client.get(f"/api/v1/projects/{project}/tree")).status_code == 200
    assert (await ann.client.get(f"/api/v1/projects/{project}/assets")).status_code == 200
    assert (await ann.client.get("/api/v1/templates")).status_code == 200
    assert (await ann.client.post("/api/v1/auth/ws-ticket")).status_code == 201


async def test_writes_succeed_without_nats_and_their_events_arrive_later(
    fleet_up: Running, person, without
) -> None:
    ann = await person()
    project = await ann.project()
    await without("nats")
    paths = [f"f{number}.txt" for number in range(20)]
    for path in paths:
        url = f"/api/v1/projects/{project}/files/{path}"
        assert (await ann.client.put(url, json={"content": path})).status_code == 201
    build = {"projectId": project, "target": "web"}
    assert (await ann.client.post("/api/v1/builds", json=build)).status_code == 201
    await asyncio.to_thread(fleet_up.start, "nats")
    assert await _told(fleet_up, project, len(paths)) == paths


async def _told(fleet_up: Running, project: str, count: int) -> list[str]:
    """The paths whose creation was announced, in the order of the stream."""
    client = await nats.connect(
        f"nats://127.0.0.1:{fleet_up.ports.nats}",
        user="admin",
        password=fleet_up.secrets.nats["admin"],
    )
    try:
        stream = client.jetstream()
        events = await stream.subscribe("projects.file.created.v1", ordered_consumer=True)
        found: dict[str, str] = {}
        async with asyncio.timeout(30):
            while len(found) < count:
                event = msgspec.json.decode((await events.next_msg(timeout=30)).data)
                if event["data"]["projectId"] == project:
                    found[event["id"]] = event["data"]["path"]
        return list(found.values())
    finally:
        await client.close()


async def test_a_service_that_is_killed_comes_back(fleet_up: Running, person, until) -> None:
    ann = await person()
    project = await ann.project()
    url = f"/api/v1/projects/{project}/files/a.txt"
    assert (await ann.client.put(url, json={"content": "kept"})).status_code == 201
    process = fleet_up.state().processes["projects"]
    os.kill(process.pid, signal.SIGKILL)

    async def is_back() -> bool:
        answer = await ann.client.get(url)
        assert answer.status_code in {200, 503, 504}, answer.text
        return bool(answer.status_code == 200)

    await until(is_back)
    assert (await ann.client.get(url)).json()["data"]["content"] == "kept"


async def test_without_postgres_everybody_is_told_to_come_back(
    fleet_up: Running, gateway, person, until
) -> None:
    ann = await person()
    project = await ann.project()
    await asyncio.to_thread(fleet_up.stop, "postgres")
    try:
        for url in (f"/api/v1/projects/{project}", "/api/v1/users/me"):
            answer = await ann.client.get(url)
            assert answer.status_code == 503, answer.text
            assert answer.json()["error"]["code"] == "UNAVAILABLE"
            assert answer.headers["retry-after"]
        health = await gateway.get("/health")
        assert health.status_code == 503
        assert (await gateway.get("/health/live")).status_code == 200
    finally:
        await asyncio.to_thread(fleet_up.start, "postgres")

    async def is_back() -> bool:
        return bool((await gateway.get("/health")).status_code == 200)

    await until(is_back)
    assert (await ann.client.get(f"/api/v1/projects/{project}")).status_code == 200
