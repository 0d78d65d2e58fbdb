"""The log: followed from its first line by whoever comes, whenever they come."""

import httpx
import msgspec

_GAME = {"index.html": "<script type=module src=src/main.ts></script>", "src/main.ts": "alert(1)"}


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
