"""Plays the fleet's main job through the gateway: from a new account to a played game."""

import argparse
import asyncio
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import msgspec
from websockets.exceptions import WebSocketException

from fleet.demo_api import Build, DemoError, Project, ask
from fleet.demo_steps import (
    check_by_eye,
    download,
    edit_in_company,
    finished,
    follow,
    open_page,
    sign_up,
    stranger,
    upload_assets,
    upload_sources,
)

BROWSERS = ("chromium", "chromium-browser", "google-chrome")

# what a fleet that is not well makes a client raise
STOPPERS = (DemoError, httpx.HTTPError, WebSocketException, msgspec.MsgspecError, OSError)

type Say = Callable[[str, float], None]


class DemoResult(msgspec.Struct, frozen=True):
    """How the demo went."""

    play_url: str
    project_id: str
    build_id: str
    steps: tuple[tuple[str, float], ...]
    # what the browser saw; nothing where there was no browser
    picture: bytes | None


class Built(msgspec.Struct, frozen=True):
    """A build that succeeded, and where it is played."""

    id: str
    play_url: str


def play(gateway_url: str, say: Say, chromium: str | None) -> DemoResult:
    """Play the whole journey; each step is said with its name and its seconds."""
    return asyncio.run(journey(gateway_url, say, chromium))


async def journey(gateway_url: str, say: Say, chromium: str | None) -> DemoResult:
    """Play the whole journey inside a running loop."""
    steps: list[tuple[str, float]] = []

    def note(name: str, seconds: float) -> None:
        steps.append((name, seconds))
        say(name, seconds)

    async with AsyncExitStack() as stack:
        maker, friend, browser = [
            await stack.enter_async_context(stranger(gateway_url)) for _ in range(3)
        ]
        project_id = await make(maker, friend, gateway_url, note)
        built = await build(maker, project_id, gateway_url, note)
        with timed("open the game under its play URL", note):
            await open_page(browser, built.play_url)
    picture = None
    if chromium:
        with timed("play it in a browser", note):
            picture = await check_by_eye(built.play_url, chromium)
    return DemoResult(built.play_url, project_id, built.id, tuple(steps), picture)


async def make(
    maker: httpx.AsyncClient, friend: httpx.AsyncClient, gateway_url: str, note: Say
) -> str:
    """Sign up, make a project, fill it, and edit it under a friend's eyes; return its id."""
    with timed("register two people and log them in", note):
        await sign_up(maker)
        friend_name = await sign_up(friend)
    with timed("create a project", note):
        body = {"name": "Brickglow", "description": "The demo's game."}
        project_id = (await ask(maker, "POST", "/projects", Project, body)).id
    with timed("upload the sources as one batch", note):
        await upload_sources(maker, project_id)
    with timed("upload the assets, one through a presigned URL", note):
        await upload_assets(maker, project_id)
    with timed("add a collaborator", note):
        invited = {"login": friend_name, "role": "editor"}
        await ask(maker, "POST", f"/projects/{project_id}/collaborators", msgspec.Raw, invited)
    with timed("edit a file while the collaborator watches", note):
        await edit_in_company(maker, friend, gateway_url, project_id)
    return project_id


async def build(maker: httpx.AsyncClient, project_id: str, gateway_url: str, note: Say) -> Built:
    """Build the project for the web, read its log, fetch what it made."""
    with timed("start a web build", note):
        order = {"projectId": project_id, "target": "web"}
        build_id = (await ask(maker, "POST", "/builds", Build, order)).id
    with timed("follow its log, with one dropped connection", note):
        await follow(maker, build_id)
        done = await finished(maker, build_id)
    with timed("download the artifact", note):
        await download(maker, build_id)
    if not done.play_url:
        raise DemoError("The build has no play URL.")
    if _origin(done.play_url) == _origin(gateway_url):
        raise DemoError("The game is played where the API is.")
    return Built(build_id, done.play_url)


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


@contextmanager
def timed(name: str, say: Say) -> Iterator[None]:
    """Say how long something took; a failure says in which step it came."""
    start = time.perf_counter()
    try:
        yield
    except STOPPERS as error:
        raise DemoError(f"{name}: {str(error) or type(error).__name__}") from error
    say(name, time.perf_counter() - start)


def main() -> int:
    """Play the demo against a running fleet and print each step."""
    parser = argparse.ArgumentParser(prog="fleet-demo", description=__doc__)
    parser.add_argument("--gateway", default="http://localhost:8080", help="the gateway's URL")
    parser.add_argument("--chromium", default=found(), help="a browser's program")
    parser.add_argument("--picture", type=Path, help="where to save what the browser saw")
    options = parser.parse_args()

    def say(name: str, seconds: float) -> None:
        sys.stdout.write(f"  {name:<56}{seconds * 1000:8.0f} ms\n")
        sys.stdout.flush()

    try:
        result = play(options.gateway, say, options.chromium)
    except DemoError as error:
        sys.stderr.write(f"The demo stopped. {error}\n")
        return 1
    total = sum(seconds for _, seconds in result.steps)
    sys.stdout.write(f"  {'in all':<56}{total * 1000:8.0f} ms\n")
    if result.picture and options.picture:
        options.picture.write_bytes(result.picture)
    if result.picture is None:
        sys.stdout.write("  No Chromium was found, so nobody has looked at the game yet.\n")
    sys.stdout.write(f"\nPlay it: {result.play_url}\n")
    return 0


def found() -> str | None:
    """Return the first browser on this machine."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


if __name__ == "__main__":
    sys.exit(main())
