"""Playing: a game's files for those who may, with all that a browser wants to know."""

import httpx

_GAME = {
    "index.html": "<title>G</title><script type=module src=src/main.ts></script>",
    "src/main.ts": "document.title = 'played';",
    "assets/data.json": '{"level": 1}',
}


def _browser(desk):
    return httpx.AsyncClient(base_url=desk.company.url("builds"))


async def _built(desk, *, is_public):
    project = await desk.project(_GAME, is_public=is_public)
    return project, await desk.ended(await desk.start(project))


def _local(build):
    """The address below the gateway's."""
    return httpx.URL(build["playUrl"]).raw_path.decode()


async def test_a_public_game_is_open(desk):
    _, build = await _built(desk, is_public=True)
    assert "key=" not in build["playUrl"]
    async with _browser(desk) as browser:
        bare = await browser.get(f"/play/{build['id']}?level=2")
        assert bare.status_code == httpx.codes.FOUND
        assert bare.headers["location"] == f"/play/{build['id']}/?level=2"
        page = await browser.get(_local(build))
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert page.headers["x-content-type-options"] == "nosniff"
        assert "set-cookie" not in page.headers
        script = page.text.partition('type="module" src="')[2].partition('"')[0]
        code = await browser.get(f"/play/{build['id']}/{script}")
        assert "played" in code.text
        assert "immutable" in code.headers["cache-control"]
        for path in ("src/main.ts", "nothing", "../x", "%2e%2e/%2e%2e/x", "assets"):
            assert (await browser.get(f"/play/{build['id']}/{path}")).status_code == 404


async def test_a_private_game_wants_its_key_once(desk):
    _, build = await _built(desk, is_public=False)
    async with _browser(desk) as browser:
        for path in ("", "index.html", "assets/data.json"):
            assert (await browser.get(f"/play/{build['id']}/{path}")).status_code == 404
        led = await browser.get(_local(build))
        assert led.status_code == httpx.codes.FOUND
        assert led.headers["location"] == f"/play/{build['id']}/"
        cookie = led.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert f"Path=/play/{build['id']}/" in cookie
        page = await browser.get(led.headers["location"])
        assert page.status_code == httpx.codes.OK
        assert page.headers["cache-control"].startswith("private")


async def test_a_key_opens_its_own_build_and_dies_with_the_membership(desk):
    project, build = await _built(desk, is_public=False)
    _, other = await _built(desk, is_public=False)
    key = _local(build).partition("?")[2]
    async with _browser(desk) as browser:
        assert (await browser.get(f"/play/{other['id']}/?{key}")).status_code == 404
        assert (await browser.get(f"/play/{build['id']}/?{key}x")).status_code == 404
        led = await browser.get(f"/play/{build['id']}/?{key}")
        assert (await browser.get(led.headers["location"])).status_code == httpx.codes.OK
        removed, desk.owner = desk.owner, desk.stranger
        await desk.access(project)
        desk.owner = removed
        assert (await browser.get(led.headers["location"])).status_code == 404


async def test_parts_tags_and_heads(desk):
    _, build = await _built(desk, is_public=True)
    path = f"/play/{build['id']}/assets/data.json"
    whole = _GAME["assets/data.json"].encode()
    async with _browser(desk) as browser:
        full = await browser.get(path)
        assert (full.content, full.headers["content-type"]) == (whole, "application/json")
        tag = full.headers["etag"]
        assert (await browser.get(path, headers={"if-none-match": tag})).status_code == 304
        part = await browser.get(path, headers={"range": "bytes=2-6"})
        assert (part.status_code, part.content) == (206, whole[2:7])
        assert part.headers["content-range"] == f"bytes 2-6/{len(whole)}"
        stale = await browser.get(path, headers={"range": "bytes=2-6", "if-range": '"old"'})
        assert (stale.status_code, stale.content) == (200, whole)
        beyond = await browser.get(path, headers={"range": "bytes=99-"})
        assert beyond.headers["content-range"] == f"bytes */{len(whole)}"
        assert beyond.status_code == 416
        head = await browser.head(path)
        assert (head.content, head.headers["content-length"]) == (b"", str(len(whole)))


async def test_what_failed_cannot_be_played(desk):
    project = await desk.project(_GAME | {"src/main.ts": "let x: string = 1"}, is_public=True)
    build = await desk.ended(await desk.start(project))
    assert (build["status"], build["playUrl"]) == ("failed", None)
    async with _browser(desk) as browser:
        assert (await browser.get(f"/play/{build['id']}/")).status_code == 404
