"""Editors in browsers: two people, each with a browser and a network of their own."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright

from fleet.demo_browser import ARGUMENTS
from fleet.home import repository
from fleet.testing import Running
from tests.e2e.conftest import Person
from tests.wire import Wire, wire

HERE = Path(__file__).parent
# a page that the gateway lets ask, on no server: the browser is given it
_PAGE = "http://localhost:5173/"
_WITHIN_MS = 20_000


class Editor:
    """A page in a browser: somebody's editor of one file."""

    def __init__(self, page: Page, network: Wire) -> None:
        self.page = page
        self.network = network

    async def ask(self, expression: str) -> Any:
        """What the page says of itself."""
        return await self.page.evaluate(f"editor.{expression}")

    async def text(self) -> str:
        """The text that the page shows, which is the one that it shares."""
        shown, shared = [await self.ask(f"{what}()") for what in ("shown", "text")]
        assert shown == shared
        return str(shown)

    async def select(self, anchor: int, head: int | None = None) -> None:
        """Put the cursor somewhere, or select."""
        await self.ask(f"select({anchor}, {anchor if head is None else head})")

    async def type(self, text: str) -> None:
        """Press keys, one after another."""
        await self.page.keyboard.type(text, delay=5)

    async def until(self, holds: str) -> None:
        """Wait until something holds in the page."""
        await self.page.wait_for_function(holds, timeout=_WITHIN_MS)

    async def until_text(self, text: str) -> None:
        """Wait until the page has this text."""
        await self.page.wait_for_function(
            "text => editor.text() === text", arg=text, timeout=_WITHIN_MS
        )

    async def close(self) -> None:
        """Close the browser's window, and all that it kept."""
        await self.page.context.close()


type Sits = Callable[..., Awaitable[Editor]]


@pytest.fixture(scope="session")
async def bundle(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The page's files, put together from the packages of npm."""
    esbuild = repository() / "deploy/toolchain/node_modules/.bin/esbuild"
    made = tmp_path_factory.mktemp("page") / "page.js"
    arguments = ["page.mjs", "--bundle", "--log-level=warning", f"--outfile={made}"]
    running = await asyncio.create_subprocess_exec(esbuild, *arguments, cwd=HERE)
    assert await running.wait() == 0, "run make setup: it installs the packages"
    return {"": (HERE / "page.html").read_text(), "page.js": made.read_text()}


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """A browser, without a window."""
    found = shutil.which("chromium")
    assert found, "editors run in a browser: install chromium"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=found, headless=True, args=list(ARGUMENTS)
        )
        yield browser
        await browser.close()


@pytest.fixture
async def sits(fleet_up: Running, chromium: Browser, bundle: dict[str, str]) -> AsyncIterator[Sits]:
    """A way to sit down at an editor: each has a profile and a network of its own."""
    async with AsyncExitStack() as stack:

        async def sit(who: Person, project: str, path: str, **user: str) -> Editor:
            network = await stack.enter_async_context(wire(fleet_up.ports.gateway))
            # a page of no known place asks the machine itself
            context = await chromium.new_context(permissions=["local-network-access"])
            stack.push_async_callback(context.close)
            page = await context.new_page()
            for name, body in bundle.items():
                kind = "text/html" if name == "" else "text/javascript"
                await page.route(_PAGE + name, _giving(body, kind))
            await page.goto(_PAGE)
            address = f"localhost:{network.port}"
            options = {
                "gateway": f"http://{address}",
                "sockets": f"ws://{address}",
                "token": who.token,
                "project": project,
                "path": path,
                "user": {"name": who.username, "color": "#d02090"} | user,
            }
            async with asyncio.timeout(_WITHIN_MS / 1_000):
                await page.evaluate("options => start(options)", options)
            return Editor(page, network)

        yield sit


def _giving(body: str, kind: str) -> Callable[[Any], Awaitable[None]]:
    async def give(route: Any) -> None:
        await route.fulfill(body=body, content_type=kind)

    return give


@pytest.fixture
def together(person: Callable[[], Awaitable[Person]]) -> Callable[..., Awaitable[Any]]:
    """Two people with a project, and a file in it: who owns it, who edits it too, the project."""

    async def meet(path: str, text: str) -> tuple[Person, Person, str]:
        ann, ben = await person(), await person()
        project = await ann.project()
        member = {"userId": ben.user_id, "role": "editor"}
        let_in = await ann.client.post(f"/api/v1/projects/{project}/collaborators", json=member)
        assert let_in.status_code == 201, let_in.text
        file = f"/api/v1/projects/{project}/files/{path}"
        made = await ann.client.put(file, json={"content": text})
        assert made.status_code == 201, made.text
        return ann, ben, project

    return meet
