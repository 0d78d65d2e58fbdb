"""What a project starts from is kept in Redis, and made anew without it."""

import asyncio


async def _source(desk, slug):
    answer = await desk.call(f"/internal/templates/{slug}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_new_version_is_never_hidden_by_the_cache(desk):
    slug = desk.write("start", {"index.html": b"One"})
    await desk.seed()
    first = await _source(desk, slug)
    assert await _source(desk, slug) == first
    desk.write("start", {"index.html": b"Two"})
    await desk.seed()
    assert [f["content"] for f in (await _source(desk, slug))["files"]] == ["Two"]


async def test_a_template_is_sent_without_redis(desk, stores):
    slug = desk.write("start", {"index.html": b"One"})
    await desk.seed()
    first = await _source(desk, slug)
    await asyncio.to_thread(stores.stop, "redis")
    try:
        assert await _source(desk, slug) == first
    finally:
        await asyncio.to_thread(stores.start, "redis")
