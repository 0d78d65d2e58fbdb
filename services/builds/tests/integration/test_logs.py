"""The log: followed from its first line by whoever comes, whenever they come."""

import asyncio
import time
from hashlib import sha256

import httpx
import msgspec
import pytest

from builds import places
from common.errors import NotFoundError
from common.settings import StorageSettings, load
from common.storage import Storage

_GAME = {"index.html": "<script type=module src=src/main.ts></script>", "src/main.ts": "alert(1)"}
_WRONG = _GAME | {"src/main.ts": "const a: number = 'a';"}
# far more than it takes: this is no measurement
_PATIENCE_S = 20.0


async def _events(desk, build, *, last=None, until="end", most=10_000):
    """Read events of a log: (event, id, data), up to ``until`` or ``most`` of them."""
    url = f"{desk.company.url('builds')}/api/v1/builds/{build['id']}/logs"
    headers = desk.headers(desk.owner, accept="text/event-stream")
    if last is not None:
        headers["last-event-id"] = str(last)
    found, now = [], {}
    async with desk.client.stream("GET", url, headers=headers) as answer:
        assert answer.status_code == httpx.codes.OK
        assert answer.headers["content-type"].startswith("text/event-stream")
        async for line in answer.aiter_lines():
            if line.startswith(":"):
                found.append((":", None, line))
            elif line:
                name, _, value = line.partition(": ")
                now[name] = value
            elif now:
                found.append((now["event"], now.get("id"), msgspec.json.decode(now["data"])))
                now = {}
            if len(found) >= most or (found and found[-1][0] == until):
                return found
    return found


def _numbers(events):
    return [int(number) for event, number, _ in events if event == "log"]


async def test_whoever_comes_late_has_it_all(desk):
    build = await desk.built(_GAME)
    events = await _events(desk, build)
    numbers = _numbers(events)
    assert numbers == list(range(len(numbers)))
    assert len(numbers) > 5
    assert [e for e, _, _ in events][-2:] == ["status", "end"]
    told = [state["status"] for event, _, state in events if event == "status"]
    assert told == ["queued", "building", "success"]
    assert events[-1][2]["status"] == "success"


async def test_whoever_comes_back_misses_nothing_and_hears_nothing_twice(desk, slow):
    build = await desk.start(await desk.project(slow(40)))
    numbers: list[int] = []
    last = None
    for _ in range(3):
        part = await _events(desk, build, last=last, most=len(numbers) + 3)
        numbers += _numbers(part)
        last = numbers[-1] if numbers else None
    rest = await _events(desk, build, last=last)
    numbers += _numbers(rest)
    assert numbers == list(range(len(numbers)))
    assert rest[-1][2]["status"] == "success"


async def test_silence_is_filled_and_survived(desk, company):
    company.stop("worker")
    build = await desk.start(await desk.project(_GAME))
    try:
        events = await _events(desk, build, most=4)
        assert [e for e, _, _ in events] == ["status", ":", ":", ":"]
    finally:
        company.start("worker")
    assert (await _events(desk, build))[-1][2]["status"] == "success"


async def test_the_log_is_a_text_and_a_list_too(desk):
    build = await desk.built(_GAME)
    path = f"/api/v1/builds/{build['id']}/logs"
    text = await desk.call("GET", path, accept="text/plain")
    assert text.headers["content-type"].startswith("text/plain")
    lines = text.text.splitlines()
    page = (await desk.call("GET", f"{path}?from=1&limit=2")).json()["data"]
    assert [line["text"] for line in page["lines"]] == lines[1:3]
    assert (page["next"], page["ended"]) == (3, False)
    rest = (await desk.call("GET", f"{path}?from=3")).json()["data"]
    assert (len(rest["lines"]), rest["ended"]) == (len(lines) - 3, True)


async def test_a_log_cannot_be_asked_for_just_anything(desk):
    build = await desk.built(_GAME)
    path = f"/api/v1/builds/{build['id']}/logs"
    for query in ("from=-1", "limit=0", "from=x"):
        assert (await desk.call("GET", f"{path}?{query}")).status_code == 400
    odd = await desk.call("GET", path, accept="text/event-stream", last_event_id="abc")
    assert odd.status_code == 400


async def test_the_text_is_a_download_that_is_read_once(desk):
    build = await desk.built(_GAME)
    path = f"/api/v1/builds/{build['id']}/logs"
    first = await desk.call("GET", path, accept="text/plain")
    assert first.headers["content-disposition"] == f'attachment; filename="{build["id"]}.log"'
    tag = first.headers["etag"]
    assert tag == f'"{sha256(first.content).hexdigest()}"'
    for known in (tag, f"W/{tag}", f'"x", {tag}'):
        again = await desk.call("GET", path, accept="text/plain", if_none_match=known)
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    other = await desk.call("GET", path, accept="text/plain", if_none_match='"x"')
    assert other.content == first.content
    hidden = await desk.call("GET", path, desk.stranger, accept="text/plain", if_none_match=tag)
    assert hidden.status_code == 404


async def test_a_log_that_grows_has_no_tag(desk, company):
    company.stop("worker")
    try:
        build = await desk.start(await desk.project(_GAME))
        answer = await desk.call("GET", f"/api/v1/builds/{build['id']}/logs", accept="text/plain")
        assert (answer.status_code, answer.text) == (200, "")
        assert "etag" not in answer.headers
    finally:
        company.start("worker")


async def test_ten_readers_hear_all_of_it_and_the_same(desk, slow):
    build = await desk.start(await desk.project(slow(20)))
    heard = await asyncio.gather(*[_events(desk, build) for _ in range(10)])
    numbers = [_numbers(events) for events in heard]
    assert numbers == [list(range(len(numbers[0])))] * 10
    told = [[s["status"] for e, _, s in events if e == "status"] for events in heard]
    assert {status for states in told for status in states} == {"queued", "building", "success"}
    assert all(states == sorted(states, key=_ORDER.index) for states in told)
    assert {events[-1][0] for events in heard} == {"end"}


_ORDER = ["queued", "building", "success"]


async def _forms(desk, build):
    """A log in its three forms: numbers and texts of the stream, of the list, and of the text."""
    path = f"/api/v1/builds/{build['id']}/logs"
    events = await _events(desk, build)
    streamed = [line for event, _, line in events if event == "log"]
    listed, first = [], 0
    while True:
        page = (await desk.call("GET", f"{path}?from={first}&limit=3")).json()["data"]
        listed += page["lines"]
        first = page["next"]
        if page["ended"]:
            break
    text = await desk.call("GET", path, accept="text/plain")
    return streamed, listed, text.text, text.headers["etag"]


async def _rows(desk, build):
    pool = desk.db._pool  # noqa: SLF001 - callers do not see where a log is
    query = "SELECT count(*) FROM build_log WHERE build_id = $1"
    return await pool.fetchval(query, build["id"])


async def _moved(desk, build):
    until = time.monotonic() + _PATIENCE_S
    while await _rows(desk, build):
        assert time.monotonic() < until, "The log is still in the database."
        await asyncio.sleep(0.05)


@pytest.fixture
async def store(company):
    """The object store, as builds sees it."""
    storage = Storage(load(StorageSettings, company.builds_env))
    await storage.open()
    yield storage
    await storage.close()


async def test_the_log_of_a_build_that_has_ended_moves_to_the_store(desk, company, store):
    company.stop("worker")
    company.start("worker", S3_ENDPOINT_URL="http://127.0.0.1:9")
    try:
        build = await desk.built(_WRONG)
        before = await _forms(desk, build)
        # the worker's janitor has come by since
        await desk.built(_WRONG)
        assert await _rows(desk, build) == len(before[0])
    finally:
        company.stop("worker")
        company.start("worker")
    await _moved(desk, build)
    after = await _forms(desk, build)
    assert after == before
    assert after[0] == after[1]
    late = await _events(desk, build, last=2)
    assert [line for event, _, line in late if event == "log"] == before[0][3:]
    assert [event for event, _, _ in late][-2:] == ["status", "end"]
    key = places.log(build["id"])
    assert (await store.head(places.BUCKET, key)).size > 0
    assert (await desk.call("DELETE", f"/api/v1/builds/{build['id']}")).status_code == 204
    until = time.monotonic() + _PATIENCE_S
    while await _exists(store, key):
        assert time.monotonic() < until, "The log of a deleted build is still there."
        await asyncio.sleep(0.05)


async def _exists(store, key):
    try:
        await store.head(places.BUCKET, key)
    except NotFoundError:
        return False
    return True


async def test_a_build_that_never_ran_has_an_empty_log(desk, company):
    company.stop("worker")
    try:
        build = await desk.start(await desk.project(_GAME))
        path = f"/api/v1/builds/{build['id']}"
        assert (await desk.call("POST", f"{path}/cancel")).status_code == 200
    finally:
        company.start("worker")
    events = await _events(desk, build)
    assert [event for event, _, _ in events] == ["status", "status", "end"]
    assert [state["status"] for _, _, state in events] == ["queued", "cancelled", "cancelled"]
    text = await desk.call("GET", f"{path}/logs", accept="text/plain")
    assert (text.text, text.headers["etag"]) == ("", f'"{sha256(b"").hexdigest()}"')
