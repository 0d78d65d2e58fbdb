"""The demo's steps, one function each; what went wrong is told in words."""

import asyncio
import hashlib
import itertools
import mimetypes
import secrets
from pathlib import Path
from urllib.parse import quote

import httpx
import msgspec

from fleet.demo_api import (
    API,
    Artifact,
    Asset,
    Build,
    DemoError,
    File,
    Login,
    Upload,
    accept,
    ask,
    frame_where,
    happenings,
    held,
    room,
)
from fleet.demo_browser import FEWEST_COLOURS, watch
from fleet.play import Browsing

GAME = Path(__file__).parents[4] / "examples" / "breakout"
SOURCES = ("index.html", "project.json", "tsconfig.json", "src")
PRESIGNED = "paddle.png"
EDITED, BEFORE, AFTER, LIVES = "src/config.ts", "lives: 3,", "lives: 5,", 5
UPLOADS_AT_ONCE = 4
LINES_BEFORE_THE_DROP = 2
MOST_RECONNECTS = 20
SECONDS_FOR_AN_ANSWER = 60


def stranger(gateway_url: str = "") -> httpx.AsyncClient:
    """Return a client that the fleet does not know yet."""
    return httpx.AsyncClient(
        base_url=gateway_url,
        timeout=SECONDS_FOR_AN_ANSWER,
        trust_env=False,
        transport=Browsing(),
    )


async def sign_up(client: httpx.AsyncClient) -> str:
    """Register somebody new, log in with the password, and return the name."""
    name = f"demo-{secrets.token_hex(5)}"
    password = secrets.token_urlsafe(18)
    account = {"email": f"{name}@example.com", "username": name, "password": password}
    await ask(client, "POST", "/auth/register", msgspec.Raw, account)
    login = {"login": name, "password": password, "tokenDelivery": "body"}
    token = (await ask(client, "POST", "/auth/login", Login, login)).access_token
    client.headers["authorization"] = f"Bearer {token}"
    # The token says who this is; a cookie beside it would only ask for a second proof.
    client.cookies.clear()
    return name


async def upload_sources(client: httpx.AsyncClient, project_id: str) -> None:
    """Create every source file at once, or none."""
    operations = [
        {"op": "create", "path": path, "content": (GAME / path).read_text("utf-8")}
        for path in source_paths()
    ]
    batch = {"atomic": True, "operations": operations}
    await ask(client, "POST", f"/projects/{project_id}/files/batch", msgspec.Raw, batch)
    stored = await ask(client, "GET", f"/projects/{project_id}/files?limit=100", list[File])
    missing = set(source_paths()) - {file.path for file in stored}
    if missing:
        raise DemoError(f"Not stored: {', '.join(sorted(missing))}")


def source_paths() -> list[str]:
    """Return the game's files that are neither assets nor tools."""
    found = itertools.chain.from_iterable(
        (GAME / name, *(GAME / name).rglob("*")) for name in SOURCES
    )
    return sorted(file.relative_to(GAME).as_posix() for file in found if file.is_file())


async def upload_assets(client: httpx.AsyncClient, project_id: str) -> None:
    """Upload every picture and sound, a few at a time."""
    turns = asyncio.Semaphore(UPLOADS_AT_ONCE)

    async def one(name: str, data: bytes) -> None:
        upload = upload_presigned if name == PRESIGNED else upload_form
        async with turns:
            asset = await upload(client, project_id, name, data)
        if asset.sha256 != sha256(data):
            raise DemoError(f"{name} was stored with other bytes.")

    await asyncio.gather(*(one(name, data) for name, data in assets().items()))


def assets() -> dict[str, bytes]:
    """Return the game's pictures and sounds by name."""
    return {file.name: file.read_bytes() for file in sorted((GAME / "assets").iterdir())}


async def upload_form(client: httpx.AsyncClient, project_id: str, name: str, data: bytes) -> Asset:
    """Upload one asset as a form."""
    part = (name, data, media_type(name))
    form = {"projectId": project_id}
    answer = await client.post(f"{API}/assets/upload", data=form, files={"file": part})
    return held(answer, Asset)


async def upload_presigned(
    client: httpx.AsyncClient, project_id: str, name: str, data: bytes
) -> Asset:
    """Upload one asset straight to the object store."""
    wanted = {
        "projectId": project_id,
        "name": name,
        "size": len(data),
        "sha256": sha256(data),
        "contentType": media_type(name),
    }
    upload = await ask(client, "POST", "/assets/uploads", Upload, wanted)
    async with stranger() as nobody:
        stored = await nobody.request(
            upload.method, upload.url, content=data, headers=upload.headers
        )
    accept(stored)
    return await ask(client, "POST", f"/assets/uploads/{upload.id}/complete", Asset)


def media_type(name: str) -> str:
    """Return the type of a file by its name; Python and browsers differ about WAV."""
    return "audio/wav" if name.endswith(".wav") else mimetypes.types_map[Path(name).suffix]


def sha256(data: bytes) -> str:
    """Return the hash that the fleet names content by."""
    return hashlib.sha256(data).hexdigest()


async def edit_in_company(
    maker: httpx.AsyncClient, friend: httpx.AsyncClient, gateway_url: str, project_id: str
) -> None:
    """Give the player more lives while somebody else is in the room and hears of it."""
    path = f"/projects/{project_id}/files/{quote(EDITED)}"
    async with room(friend, gateway_url, project_id) as socket:
        answer = await maker.get(API + path)
        content = held(answer, File).content or ""
        changed = await maker.put(
            API + path,
            json={"content": content.replace(BEFORE, AFTER)},
            headers={"if-match": answer.headers["etag"]},
        )
        version = held(changed, File).version
        news = await frame_where(socket, type="file-updated", path=EDITED)
    if news.version != version:
        raise DemoError(f"The room spoke of version {news.version}, not {version}.")


async def follow(client: httpx.AsyncClient, build_id: str) -> None:
    """Read the log to its end, hang up once on the way, and miss or repeat no line."""
    numbers: list[int] = []
    last: str | None = None
    for attempt in range(MOST_RECONNECTS):
        async for happening in happenings(client, f"/builds/{build_id}/logs", last):
            last = happening.id or last
            if happening.event == "end":
                return check_order(numbers)
            if happening.event == "log":
                numbers.append(int(happening.id))
            if attempt == 0 and len(numbers) == LINES_BEFORE_THE_DROP:
                break
    raise DemoError(f"The log did not end after {len(numbers)} lines.")


def check_order(numbers: list[int]) -> None:
    """Refuse a log with no lines, or with lines twice or out of order."""
    if not numbers:
        raise DemoError("The log has no lines.")
    if any(later <= earlier for earlier, later in itertools.pairwise(numbers)):
        raise DemoError(f"Lines came twice or out of order: {numbers}")


async def finished(client: httpx.AsyncClient, build_id: str) -> Build:
    """Wait for the build's end and refuse any but a good one."""
    answer = await client.get(f"{API}/builds/{build_id}", headers={"prefer": "wait=30"})
    build = held(answer, Build)
    if build.status != "success":
        said = [f"{d.file}:{d.line}: {d.message}" for d in build.diagnostics]
        raise DemoError(
            "; ".join([f"The build is {build.status}", build.error_message or "", *said])
        )
    return build


async def download(client: httpx.AsyncClient, build_id: str) -> None:
    """Fetch every artifact from the signed address that the service redirects to."""
    artifacts = await ask(client, "GET", f"/builds/{build_id}/artifacts", list[Artifact])
    if not artifacts:
        raise DemoError("The build made nothing.")
    for artifact in artifacts:
        path = f"{API}/builds/{build_id}/artifacts/{quote(artifact.name)}"
        redirect = await client.get(path)
        if redirect.status_code != httpx.codes.FOUND:
            raise DemoError(f"{artifact.name} answered {redirect.status_code}, not 302.")
        async with stranger() as nobody:
            answer = await nobody.get(redirect.headers["location"])
        accept(answer)
        if sha256(answer.content) != artifact.sha256:
            raise DemoError(f"{artifact.name} came with other bytes than the build made.")


async def open_page(browser: httpx.AsyncClient, play_url: str) -> None:
    """Open the game as a browser without any account does, and fetch one of its assets."""
    bare = await browser.get(play_url.partition("?")[0])
    if bare.status_code != httpx.codes.NOT_FOUND:
        raise DemoError(f"Without its key the private game answered {bare.status_code}, not 404.")
    page = await browser.get(play_url, follow_redirects=True)
    accept(page)
    if 'id="game"' not in page.text or not page.headers["content-type"].startswith("text/html"):
        raise DemoError("The play URL is not the game's page.")
    asset = await browser.get(str(page.url.join(f"assets/{PRESIGNED}")))
    accept(asset)
    if asset.content != assets()[PRESIGNED]:
        raise DemoError(f"The game's {PRESIGNED} is not the one that was uploaded.")


async def check_by_eye(play_url: str, chromium: str) -> bytes:
    """See that the game draws, answers a key, and is the one that was edited."""
    sight = await watch(play_url, chromium)
    if sight.colours < FEWEST_COLOURS:
        raise DemoError(f"The canvas shows {sight.colours} colours: it is blank.")
    if sight.moved <= 0:
        raise DemoError("The paddle did not follow the key.")
    if sight.missing:
        raise DemoError(f"The game could not load: {sight.missing}")
    if sight.lives != LIVES:
        raise DemoError(f"The game gives {sight.lives} lives: it was built without the edit.")
    return sight.picture
