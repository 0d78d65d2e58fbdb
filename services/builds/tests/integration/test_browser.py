"""A built game in a browser: it starts, it says nothing wrong, it stays where it may."""

import functools
import shutil
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import override

import httpx
import pytest
from playwright.async_api import async_playwright

from builds.packagers import web

_EXAMPLE = Path(__file__).parents[4] / "examples" / "breakout"
_ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
_READY = "document.body.dataset.ready === 'true'"
_KEPT = "navigator.serviceWorker.ready.then(() => true)"
_WORKERS = "async () => (await navigator.serviceWorker.getRegistrations()).length"


@pytest.fixture
async def visitor():
    """A browser without a window, and what its pages complained of."""
    found = shutil.which("chromium")
    assert found, "games run in a browser: install chromium"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=found, headless=True, args=list(_ARGUMENTS)
        )
        context = await browser.new_context()
        page = await context.new_page()
        faults = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
        yield page, faults
        await browser.close()


async def _example(desk, *, is_public, **more):
    texts = [p for p in _EXAMPLE.rglob("*") if p.suffix in {".ts", ".json", ".html"}]
    files = {str(p.relative_to(_EXAMPLE)): p.read_text() for p in texts}
    project = await desk.project(files, is_public=is_public)
    for picture in (_EXAMPLE / "assets").iterdir():
        await desk.upload(project, picture.name, picture.read_bytes())
    build = await desk.ended(await desk.start(project, **more))
    assert build["status"] == "success", build
    return build


def _address(desk, build):
    return desk.company.url("builds") + httpx.URL(build["playUrl"]).raw_path.decode()


async def test_a_public_game_starts_and_is_there_without_a_network(desk, visitor):
    page, faults = visitor
    build = await _example(desk, is_public=True)
    await page.goto(_address(desk, build))
    await page.wait_for_function(_READY)
    assert await page.locator("canvas#game").count() == 1
    assert await page.evaluate(_KEPT)
    assert faults == []
    manifest = await page.evaluate("fetch('manifest.webmanifest').then((answer) => answer.json())")
    assert manifest["name"] == "Brickglow"
    await page.context.set_offline(True)
    await page.reload()
    await page.wait_for_function(_READY)
    assert await page.locator("canvas#game").count() == 1
    assert [fault for fault in faults if "ERR_INTERNET_DISCONNECTED" not in fault] == []


async def test_a_private_game_starts_and_leaves_nothing_behind(desk, visitor):
    page, faults = visitor
    build = await _example(desk, is_public=False, target="electron")
    await page.goto(_address(desk, build))
    await page.wait_for_function(_READY)
    await page.wait_for_load_state("networkidle")
    assert await page.evaluate(_WORKERS) == 0
    assert await page.evaluate("caches.keys()") == []
    assert faults == []


async def test_a_game_that_is_not_public_any_more_is_forgotten(desk, visitor):
    page, _ = visitor
    build = await _example(desk, is_public=True)
    await page.goto(_address(desk, build))
    assert await page.evaluate(_KEPT)
    await desk.access(build["projectId"])
    answer = await page.goto(_address(desk, build))
    assert answer is not None
    assert answer.status == httpx.codes.NOT_FOUND
    assert await page.evaluate("caches.keys()") == []
    assert await page.evaluate(_WORKERS) == 0


class _Files(SimpleHTTPRequestHandler):
    """A server of files as there are many, asked each time."""

    @override
    def end_headers(self) -> None:
        """Let nobody take a file for fresh."""
        self.send_header("cache-control", "no-cache")
        super().end_headers()

    @override
    def do_GET(self) -> None:
        """Send it whole: two editions may be of the same second."""
        del self.headers["If-Modified-Since"]
        super().do_GET()

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def served(tmp_path):
    """A folder and its address."""
    folder = tmp_path / "served"
    folder.mkdir()
    handler = functools.partial(_Files, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def _publish(game, folder, scratch, note):
    made = game(scratch, ["index.html", "main-AAAAAAAA.js", "main-BBBBBBBB.css", "style.css"])
    (scratch / "style.css").write_text(note)
    with (scratch / "index.html").open("a") as page:
        page.write(f"<!-- {note} -->")
    for path, content in web.pack(made, scratch).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content if isinstance(content, bytes) else content.read_bytes())
    return (folder / "sw.js").read_text()


async def test_a_new_edition_never_mixes_with_the_one_that_was_kept(
    served, visitor, game, tmp_path
):
    page, faults = visitor
    folder, address = served
    read = "fetch('style.css').then((answer) => answer.text())"
    first = _publish(game, folder, tmp_path / "one", "one {}")
    await page.goto(address)
    assert await page.evaluate(_KEPT)
    await page.reload()
    assert await page.evaluate(read) == "one {}"
    assert await page.title() == "played"
    second = _publish(game, folder, tmp_path / "two", "two {}")
    assert first != second
    await page.reload()
    assert await page.evaluate(read) == "two {}"
    assert faults == []
