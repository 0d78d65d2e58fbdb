"""A game in a browser: on an origin of its own, isolated where its project wants it."""

import base64
import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import brotli
import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from common.ids import uuid7
from fleet.demo_browser import ARGUMENTS
from fleet.testing import Running
from tests.e2e.conftest import Person

_EDITOR = "http://localhost:5173/"
_FOREIGN = "http://evil.example/"
_PAGE = "<!doctype html><body><script type='module' src='src/main.js'></script></body>"
# says of itself, on its page, what it could do
_GAME = """
const facts = document.body.dataset;
const api = API;
async function told(name, what) {
  try {
    facts[name] = String(await what());
  } catch (error) {
    facts[name] = "refused";
  }
}
const asked = async (url, more) => (await fetch(url, more)).status;
await told("isolated", () => self.crossOriginIsolated);
await told("memory", () => typeof SharedArrayBuffer);
await told("worker", () => new Promise((found, failed) => {
  const worker = new Worker("public/worker.js");
  worker.onmessage = (event) => found(event.data);
  worker.onerror = failed;
}));
await told("sum", async () => {
  const code = await WebAssembly.instantiateStreaming(fetch("public/sum.wasm.br"));
  return code.instance.exports.sum(2, 3);
});
await told("own", () => asked("/api/v1/users/me", { credentials: "include" }));
await told("read", () => asked(`${api}/api/v1/users/me`, { credentials: "include" }));
await told("refresh", () => asked(`${api}/api/v1/auth/refresh`, {
  method: "POST", credentials: "include", headers: { "x-csrf-token": "guess" },
}));
await told("cookies", () => document.cookie);
facts.done = "yes";
"""
_WORKER = "postMessage(self.crossOriginIsolated);"
# (func (export "sum") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add)
_SUM = bytes.fromhex(
    "0061736d0100000001070160027f7f017f030201000707010373756d00000a09010700200020016a0b"
)
_NOTHING = {"own": "refused", "read": "refused", "refresh": "refused", "cookies": ""}

type Opens = Callable[..., Awaitable[Page]]


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """A browser, without a window."""
    found = shutil.which("chromium")
    assert found, "games run in a browser: install chromium"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=found, headless=True, args=list(ARGUMENTS)
        )
        yield browser
        await browser.close()


@pytest.fixture
async def logged_in(
    fleet_up: Running, chromium: Browser
) -> AsyncIterator[Callable[..., Awaitable[BrowserContext]]]:
    """A way to be somebody who is logged in with cookies, in a browser of their own."""
    contexts: list[BrowserContext] = []

    async def log_in(**more: Any) -> BrowserContext:
        # a page of no known place asks the machine itself
        context = await chromium.new_context(permissions=["local-network-access"], **more)
        contexts.append(context)
        name = f"b{uuid7().hex[-20:]}"
        account = {"email": f"{name}@example.org", "username": name, "password": "correct horse"}
        url = f"{fleet_up.gateway_url}/api/v1/auth/register"
        answer = await context.request.post(url, data=account)
        assert answer.status == 201
        names = {cookie["name"] for cookie in await context.cookies(fleet_up.gateway_url)}
        assert "wl_csrf" in names
        return context

    yield log_in
    for context in contexts:
        await context.close()


async def _built(
    maker: Person, gateway_url: str, *, is_isolated: bool, is_public: bool
) -> dict[str, Any]:
    about = {"name": "Sum", "play": {"isolated": is_isolated}}
    files = {
        "index.html": _PAGE,
        "project.json": json.dumps(about),
        "src/main.js": _GAME.replace("API", json.dumps(gateway_url)),
        "public/worker.js": _WORKER,
    }
    project = await maker.project(isPublic=is_public)
    base = f"/api/v1/projects/{project}/files"
    steps = [{"op": "upsert", "path": path, "content": text} for path, text in files.items()]
    assert (await maker.client.post(f"{base}/batch", json={"operations": steps})).is_success
    packed = base64.b64encode(brotli.compress(_SUM)).decode()
    body = {"content": packed, "encoding": "base64"}
    assert (await maker.client.put(f"{base}/public/sum.wasm.br", json=body)).is_success
    order = {"projectId": project, "target": "web"}
    build = (await maker.client.post("/api/v1/builds", json=order)).json()["data"]["id"]
    answer = await maker.client.get(f"/api/v1/builds/{build}", headers={"prefer": "wait=30"})
    ended: dict[str, Any] = answer.json()["data"]
    assert ended["status"] == "success", ended
    return ended


async def _facts(frame: Any) -> dict[str, str]:
    await frame.wait_for_function("document.body.dataset.done === 'yes'", timeout=20_000)
    return dict(await frame.evaluate("({ ...document.body.dataset })"))


@pytest.mark.parametrize("is_isolated", [True, False])
async def test_a_games_files_come_from_the_host_of_games(
    person, gateway, fleet_up: Running, is_isolated
) -> None:
    build = await _built(
        await person(), fleet_up.gateway_url, is_isolated=is_isolated, is_public=True
    )
    assert build["playUrl"] == f"{fleet_up.play_origin}/play/{build['id']}/"
    moved = await gateway.get(f"/play/{build['id']}/?level=2")
    assert (moved.status_code, moved.headers["location"]) == (308, f"{build['playUrl']}?level=2")

    page = await gateway.get(build["playUrl"])
    worker = await gateway.get(f"{build['playUrl']}public/worker.js")
    code = await gateway.get(f"{build['playUrl']}public/sum.wasm.br")
    wall = ("same-origin", "require-corp") if is_isolated else (None, None)
    for answer, kind, walls in (
        (page, "text/html; charset=utf-8", wall),
        (worker, "text/javascript; charset=utf-8", (None, wall[1])),
        (code, "application/wasm", (None, None)),
    ):
        assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
        assert walls == (
            answer.headers.get("cross-origin-opener-policy"),
            answer.headers.get("cross-origin-embedder-policy"),
        )
        resource = answer.headers.get("cross-origin-resource-policy")
        assert resource == ("same-origin" if is_isolated else None)
    assert (code.headers["content-encoding"], code.content) == ("br", _SUM)
    part = await gateway.get(f"{build['playUrl']}public/worker.js", headers={"range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, _WORKER[:4].encode())
    assert (await gateway.get(f"{fleet_up.play_origin}/api/v1/users/me")).status_code == 404


@pytest.mark.parametrize("is_isolated", [True, False])
async def test_a_game_has_shared_memory_where_its_project_wants_it_and_nothing_of_the_users(
    person, logged_in, fleet_up: Running, is_isolated
) -> None:
    build = await _built(
        await person(), fleet_up.gateway_url, is_isolated=is_isolated, is_public=True
    )
    # without its policy the origin alone keeps the game away from the API
    for has_policy, own in ((True, "refused"), (False, "404")):
        context = await logged_in(bypass_csp=not has_policy)
        page = await context.new_page()
        await page.goto(build["playUrl"])
        facts = await _facts(page)
        assert facts == _NOTHING | {
            "own": own,
            "isolated": str(is_isolated).lower(),
            "memory": "function" if is_isolated else "undefined",
            "worker": str(is_isolated).lower(),
            "sum": "5",
            "done": "yes",
        }


@pytest.mark.parametrize("is_isolated", [True, False])
async def test_an_editor_has_a_private_game_in_a_frame_and_nobody_else_has(
    person, logged_in, fleet_up: Running, is_isolated
) -> None:
    maker = await person()
    build = await _built(maker, fleet_up.gateway_url, is_isolated=is_isolated, is_public=False)
    context = await logged_in()
    markup = f"<iframe src='{build['playUrl']}'></iframe>"
    for address, is_shown in ((_EDITOR, True), (_FOREIGN, False)):
        page = await context.new_page()
        await page.route(
            address, lambda route: route.fulfill(body=markup, content_type="text/html")
        )
        await page.goto(address)
        frame = page.frames[1]
        if is_shown:
            facts = await _facts(frame)
            assert (facts["sum"], facts["own"], facts["cookies"]) == ("5", "refused", "")
        else:
            await frame.wait_for_load_state()
            assert not frame.url.startswith(fleet_up.play_origin)


async def test_a_private_game_opens_with_its_key_and_dies_with_the_membership(
    person, logged_in, until, fleet_up: Running
) -> None:
    owner, friend = await person(), await person()
    build = await _built(owner, fleet_up.gateway_url, is_isolated=True, is_public=False)
    members = f"/api/v1/projects/{build['projectId']}/collaborators"
    member = {"userId": friend.user_id, "role": "viewer"}
    assert (await owner.client.post(members, json=member)).is_success

    async def link() -> str | None:
        seen = await friend.client.get(f"/api/v1/builds/{build['id']}")
        return seen.json()["data"]["playUrl"] if seen.is_success else None

    url = await until(link)
    page = await (await logged_in()).new_page()
    bare = await page.goto(build["playUrl"].partition("?")[0])
    assert bare is not None
    assert bare.status == 404
    await page.goto(url)
    assert (await _facts(page))["isolated"] == "true"
    assert urlsplit(page.url).query == ""
    assert (await owner.client.delete(f"{members}/{friend.user_id}")).is_success

    async def is_over() -> bool:
        again = await page.reload()
        return again is not None and again.status == 404

    await until(is_over)
