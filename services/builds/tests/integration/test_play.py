"""Playing: a game's files for those who may, with all that a browser wants to know."""

import base64
import gzip
from uuid import UUID

import brotli
import httpx
import pytest
import sqlalchemy as sa

from builds import places
from builds.tables import BuildRow
from common.settings import StorageSettings, load
from common.storage import Storage

_GAME = {
    "index.html": "<title>G</title><script type=module src=src/main.ts></script>",
    "src/main.ts": "document.title = 'played';",
    "assets/data.json": '{"level": 1}',
}


def _browser(desk):
    return httpx.AsyncClient(base_url=desk.company.url("builds"))


_BR = brotli.compress(b"wasm")
_MADE = {
    "public/worker.js": "postMessage(self.crossOriginIsolated);",
    "public/pool.mjs": "export const workers = 4;",
    "public/look.frag": "void main() {}",
}


async def _built(desk, *, is_public, more=None):
    project = await desk.project(_GAME | (more or {}), is_public=is_public)
    return project, await desk.ended(await desk.start(project))


async def _bring(desk, project, path, content):
    """Write a file that is no text."""
    body = {"content": base64.b64encode(content).decode(), "encoding": "base64"}
    url = f"/api/v1/projects/{project}/files/{path}"
    answer = await desk.call("PUT", url, json=body, service="projects")
    assert answer.status_code == httpx.codes.CREATED, answer.text


async def _exported(desk, about):
    """Build a game as an exporter writes it, with files that are encoded already."""
    project = await desk.project(_GAME | _MADE | {"project.json": about}, is_public=True)
    await _bring(desk, project, "public/game.wasm.br", _BR)
    await _bring(desk, project, "public/game.js.gz", gzip.compress(b"let a = 1;", mtime=0))
    await _bring(desk, project, "public/level.tar.gz", gzip.compress(b"tar", mtime=0))
    build = await desk.ended(await desk.start(project))
    assert build["status"] == "success", build
    return f"/play/{build['id']}/"


def _local(build):
    """The address below the gateway's."""
    return httpx.URL(build["playUrl"]).raw_path.decode()


async def test_a_public_game_is_open(desk):
    _, build = await _built(desk, is_public=True)
    assert "key=" not in build["playUrl"]
    assert build["playUrl"].startswith("http://play.localhost:")
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
        for path in ("../x", "%2e%2e/x", "a/%2e%2e/%2e%2e/x", "a/%2e%2e", "..%5cx", "%5c..%5cx"):
            refused = await browser.get(f"/play/{build['id']}/{path}?{key}")
            assert (refused.status_code, refused.headers.get("location")) == (404, None)
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


@pytest.mark.parametrize("is_isolated", [True, False])
async def test_a_project_says_whether_its_game_is_isolated(desk, is_isolated):
    about = '{"play": {"isolated": true}}' if is_isolated else '{"name": "G"}'
    folder = await _exported(desk, about)
    opener, embedder = ("same-origin", "require-corp") if is_isolated else (None, None)
    # each with what it says of its opener and of what it embeds
    told = {
        "": (opener, embedder),
        "public/worker.js": (None, embedder),
        "public/pool.mjs": (None, embedder),
        "public/game.js.gz": (None, embedder),
        "public/game.wasm.br": (None, None),
        "public/look.frag": (None, None),
        "assets/data.json": (None, None),
    }
    async with _browser(desk) as browser:
        for path, (to_opener, to_embedded) in told.items():
            answer = await browser.get(folder + path)
            assert answer.status_code == httpx.codes.OK
            assert answer.headers.get("cross-origin-opener-policy") == to_opener
            assert answer.headers.get("cross-origin-embedder-policy") == to_embedded
            resource = answer.headers.get("cross-origin-resource-policy")
            assert resource == ("same-origin" if is_isolated else None)
            assert ("sandbox" in answer.headers["content-security-policy"]) != is_isolated
            held = {"if-none-match": answer.headers["etag"]}
            again = await browser.get(folder + path, headers=held)
            assert again.status_code == httpx.codes.NOT_MODIFIED
            assert again.headers.get("cross-origin-embedder-policy") == to_embedded


async def test_an_isolation_that_is_no_yes_or_no_is_a_fault_of_the_project(desk):
    project = await desk.project(_GAME | {"project.json": '{"play": {"isolated": "yes"}}'})
    build = await desk.ended(await desk.start(project))
    assert (build["status"], build["errorCode"]) == ("failed", "CONFIG_INVALID")


@pytest.mark.parametrize("accepted", ["br, gzip", "gzip", "identity", ""])
async def test_what_was_encoded_already_is_sent_as_what_it_is_inside(desk, accepted):
    folder = await _exported(desk, "{}")
    expected = {
        "public/game.wasm.br": ("application/wasm", "br", _BR),
        "public/game.js.gz": ("text/javascript; charset=utf-8", "gzip", None),
        "public/level.tar.gz": ("application/gzip", None, None),
    }
    asks = {"accept-encoding": accepted}
    async with _browser(desk) as browser:
        for path, (kind, coding, raw) in expected.items():
            async with browser.stream("GET", folder + path, headers=asks) as answer:
                content = b"".join([piece async for piece in answer.aiter_raw()])
            assert answer.headers["content-type"] == kind
            assert answer.headers.get("content-encoding") == coding
            assert raw is None or content == raw
            assert answer.headers["content-length"] == str(len(content))
        part = asks | {"range": "bytes=2-4"}
        async with browser.stream("GET", f"{folder}public/game.wasm.br", headers=part) as answer:
            content = b"".join([piece async for piece in answer.aiter_raw()])
        assert (answer.status_code, content) == (206, _BR[2:5])
        assert answer.headers["content-range"] == f"bytes 2-4/{len(_BR)}"


async def _raw(browser, url, **headers):
    """The bytes as they were sent."""
    async with browser.stream("GET", url, headers=headers) as answer:
        return answer, b"".join([piece async for piece in answer.aiter_raw()])


async def test_small_files_are_sent_out_of_one_object_each_in_the_form_that_is_wanted(desk):
    told = "".join(f"level {number} of the game\n" for number in range(400))
    more = {"assets/a.txt": told, "assets/empty.txt": "", "assets/z.txt": told[::-1]}
    _, build = await _built(desk, is_public=True, more=more)
    folder = f"/play/{build['id']}/"
    async with _browser(desk) as browser:
        for path, text in more.items():
            content = text.encode()
            plain, sent = await _raw(browser, folder + path, **{"accept-encoding": "identity"})
            assert (plain.status_code, sent) == (200, content)
            part, sent = await _raw(browser, folder + path, range="bytes=7-99")
            assert (part.status_code, sent) == ((206, content[7:100]) if content else (416, b""))
        for path in ("assets/a.txt", "assets/z.txt"):
            for coding, undo in (("br", brotli.decompress), ("gzip", gzip.decompress)):
                asks = {"accept-encoding": coding}
                answer, sent = await _raw(browser, folder + path, **asks)
                assert answer.headers["content-encoding"] == coding
                assert undo(sent) == more[path].encode()
    storage = Storage(load(StorageSettings, desk.company.builds_env))
    await storage.open()
    found = await storage.call("list_objects_v2", Bucket=places.BUCKET, Prefix=f"{build['id']}/")
    await storage.close()
    keys = {one["Key"].partition("/")[2] for one in found["Contents"]} - {"log.ndjson.gz"}
    assert keys == {"artifacts/web.zip", "site.pack"}


async def test_a_large_file_is_an_object_of_its_own(desk):
    project = await desk.project(_GAME, is_public=True)
    content = bytes(range(256)) * 5_000
    await _bring(desk, project, "assets/large.dat", content)
    build = await desk.ended(await desk.start(project))
    url = f"/play/{build['id']}/assets/large.dat"
    async with _browser(desk) as browser:
        assert (await browser.get(url)).content == content
        part = await browser.get(url, headers={"range": "bytes=1000000-1000009"})
        assert (part.status_code, part.content) == (206, content[1_000_000:1_000_010])
        assert (await browser.get(f"/play/{build['id']}/")).status_code == httpx.codes.OK


async def test_a_copy_that_is_stored_is_sent_to_who_takes_it(desk):
    _, build = await _built(desk, is_public=True)
    path, copy = "assets/data.json", b"compressed"
    storage = Storage(load(StorageSettings, desk.company.builds_env))
    await storage.open()
    key = places.page(UUID(build["id"]), path)
    # as a file lies there that is not in the pack
    await storage.put(places.BUCKET, key, _GAME[path].encode(), content_type="application/json")
    await storage.put(places.BUCKET, f"{key}.br", copy, content_type="application/json")
    await storage.close()
    sizes = sa.func.jsonb_set(
        BuildRow.site.op("#-")(sa.cast([path, "at"], sa.ARRAY(sa.Text))),
        sa.cast([path, "encodings"], sa.ARRAY(sa.Text)),
        sa.cast({"br": len(copy)}, sa.dialects.postgresql.JSONB),
    )
    await desk.db.run(
        sa.update(BuildRow).where(BuildRow.id == UUID(build["id"])).values(site=sizes)
    )
    url = f"/play/{build['id']}/{path}"
    async with _browser(desk) as browser:
        plain = await browser.get(url, headers={"accept-encoding": "identity"})
        assert plain.content == _GAME[path].encode()
        assert (plain.headers["vary"], "content-encoding" in plain.headers) == (
            "Accept-Encoding",
            False,
        )
        async with browser.stream("GET", url, headers={"accept-encoding": "gzip, br"}) as coded:
            assert b"".join([piece async for piece in coded.aiter_raw()]) == copy
        assert coded.headers["content-encoding"] == "br"
        assert coded.headers["vary"] == "Accept-Encoding"
        assert coded.headers["etag"] == plain.headers["etag"][:-1] + '-br"'
        part = await browser.get(url, headers={"accept-encoding": "br", "range": "bytes=0-1"})
        assert (part.status_code, part.content) == (206, plain.content[:2])
        assert "content-encoding" not in part.headers
        head = await browser.head(url, headers={"accept-encoding": "br", "range": "bytes=0-1"})
        assert (head.status_code, head.headers["content-length"]) == (200, str(len(copy)))


async def test_nothing_keeps_a_private_game_for_who_may_not_play_it_any_more(desk):
    keeper = {"public/sw.js": "self.addEventListener('fetch', () => {});"}
    _, private = await _built(desk, is_public=False, more=keeper)
    _, public = await _built(desk, is_public=True, more=keeper)
    asks = {"service-worker": "script"}
    async with _browser(desk) as browser:
        led = await browser.get(_local(private))
        for path in ("", "public/sw.js", "assets/data.json"):
            answer = await browser.get(led.headers["location"] + path)
            assert answer.headers["cache-control"] == "private, no-cache"
            assert "service-worker-allowed" not in answer.headers
        script = f"/play/{private['id']}/public/sw.js"
        assert (await browser.get(script, headers=asks)).status_code == 404
        open_to_all = await browser.get(f"/play/{public['id']}/public/sw.js", headers=asks)
        assert open_to_all.status_code == httpx.codes.OK
        assert "service-worker-allowed" not in open_to_all.headers
