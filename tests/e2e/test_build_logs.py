"""A build's log as an editor follows it: through the gateway, through silence, after a break."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NamedTuple

import httpx
import msgspec
import pytest

from fleet import services
from fleet.testing import Running

_GAME = {
    "index.html": "<script type=module src=src/main.ts></script>",
    "src/main.ts": "document.title = 'a game';",
}
# each comes after 10 s without anything else
_HEARTBEATS = 2


class Event(NamedTuple):
    """An event of a stream; a comment has neither number nor data."""

    name: str
    number: int
    data: dict[str, Any]


@pytest.fixture
async def workers(fleet_up: Running) -> AsyncIterator[Callable[..., Awaitable[None]]]:
    """A way to stop the workers and to start them; at the end they run."""
    is_running = True

    async def run(*, wanted: bool) -> None:
        nonlocal is_running
        if wanted != is_running:
            act = fleet_up.start if wanted else fleet_up.stop
            await asyncio.to_thread(act, services.WORKER)
            is_running = wanted

    yield run
    await run(wanted=True)


async def _started(client: httpx.AsyncClient, project: str) -> str:
    steps = [{"op": "upsert", "path": path, "content": text} for path, text in _GAME.items()]
    url = f"/api/v1/projects/{project}/files/batch"
    assert (await client.post(url, json={"operations": steps})).status_code == 200
    order = {"projectId": project, "target": "web"}
    answer = await client.post("/api/v1/builds", json=order)
    assert answer.status_code == 201, answer.text
    build: str = answer.json()["data"]["id"]
    return build


async def _events(
    client: httpx.AsyncClient, build: str, last: int | None = None
) -> AsyncIterator[Event]:
    headers = {"accept": "text/event-stream"}
    if last is not None:
        headers["last-event-id"] = str(last)
    now: dict[str, str] = {}
    url = f"/api/v1/builds/{build}/logs"
    async with client.stream("GET", url, headers=headers) as answer:
        assert answer.status_code == 200
        async for line in answer.aiter_lines():
            if line.startswith(":"):
                yield Event(":", -1, {})
            elif line:
                name, _, value = line.partition(": ")
                now[name] = value
            elif now:
                data = msgspec.json.decode(now["data"])
                yield Event(now["event"], int(now.get("id", -1)), data)
                now = {}


async def test_a_log_survives_silence_and_a_broken_connection(person, workers) -> None:
    ann = await person()
    await workers(wanted=False)
    build = await _started(ann.client, await ann.project())
    # nothing happens for longer than anything on the way would wait by itself
    heard, silences = [], 0
    async for event in _events(ann.client, build):
        heard.append(event)
        silences += event.name == ":"
        if silences == _HEARTBEATS:
            break
    assert [event.name for event in heard] == ["status", ":", ":"]
    assert heard[0].data["status"] == "queued"
    await workers(wanted=True)
    numbers: list[int] = []
    for _ in range(3):
        # the connection breaks after some lines, and whoever followed comes back
        wanted = len(numbers) + 2
        async for event in _events(ann.client, build, numbers[-1] if numbers else None):
            if event.name == "log":
                numbers.append(event.number)
            if len(numbers) == wanted:
                break
    rest = [event async for event in _events(ann.client, build, numbers[-1])]
    numbers += [event.number for event in rest if event.name == "log"]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) > 6
    assert rest[-1].name == "end"
    assert rest[-1].data["status"] == "success"


async def test_what_is_measured_is_for_the_fleet_alone(person, fleet_up: Running) -> None:
    ann = await person()
    for path in ("/metrics", "/api/v1/metrics", "/api/v1/builds/metrics", "/play/metrics"):
        answer = await ann.client.get(path)
        # where games are is elsewhere
        if path.startswith("/play"):
            assert answer.status_code == 308
            answer = await ann.client.get(answer.headers["location"])
        assert answer.status_code in {400, 404}, path
        assert "worldloom_builds" not in answer.text
    async with httpx.AsyncClient() as client:
        url = f"http://127.0.0.1:{fleet_up.ports.builds}/metrics"
        answer = await client.get(url)
    assert "worldloom_builds_queue_age_seconds" in answer.text
