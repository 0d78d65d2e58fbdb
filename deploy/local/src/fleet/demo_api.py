"""What the demo asks of the gateway and what it reads in the answers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal
from urllib.parse import urlsplit

import httpx
import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin

API = "/api/v1"
SECONDS_FOR_A_FRAME = 10
SECONDS_TO_BE_LET_IN = 5
SECONDS_BETWEEN_TRIES = 0.1
# No such project yet, or not yet a member of it: the news of a membership takes a moment.
NOT_YET = frozenset({4403, 4404})


class DemoError(Exception):
    """The fleet did not do what the demo asked of it."""


class Account(msgspec.Struct, frozen=True, rename="camel"):
    """Who somebody is."""

    id: str
    username: str


class Login(msgspec.Struct, frozen=True, rename="camel"):
    """What a login answers."""

    user: Account
    access_token: str


class Ticket(msgspec.Struct, frozen=True, rename="camel"):
    """What opens a socket, once."""

    ticket: str


class Project(msgspec.Struct, frozen=True, rename="camel"):
    """A project, as far as the demo cares."""

    id: str
    name: str


class File(msgspec.Struct, frozen=True, rename="camel"):
    """A file of a project; its content only where it was asked for."""

    path: str
    version: int
    hash: str
    content: str | None = None


class Asset(msgspec.Struct, frozen=True, rename="camel"):
    """A picture or a sound of a project."""

    id: str
    name: str
    size: int
    sha256: str


class Upload(msgspec.Struct, frozen=True, rename="camel"):
    """Where and how to put the bytes of an asset."""

    id: str
    method: str
    url: str
    headers: dict[str, str] = {}


class Diagnostic(msgspec.Struct, frozen=True, rename="camel"):
    """What the compiler says about one place."""

    message: str
    file: str | None = None
    line: int | None = None


class Build(msgspec.Struct, frozen=True, rename="camel"):
    """A build and how far it is."""

    id: str
    status: Literal[
        "queued", "building", "success", "failed", "cancelled", "timed_out", "superseded"
    ]
    play_url: str | None = None
    error_message: str | None = None
    diagnostics: tuple[Diagnostic, ...] = ()


class Artifact(msgspec.Struct, frozen=True, rename="camel"):
    """A file that a build made."""

    name: str
    size: int
    sha256: str


class Envelope(msgspec.Struct, frozen=True):
    """What every success comes in."""

    data: msgspec.Raw


class Fault(msgspec.Struct, frozen=True, rename="camel"):
    """What every failure says."""

    code: str
    message: str
    request_id: str | None = None


class Refusal(msgspec.Struct, frozen=True):
    """What every failure comes in."""

    error: Fault


class Frame(msgspec.Struct, frozen=True):
    """A frame of a room, as far as the demo cares; an answer has an id, news has a type."""

    type: str = ""
    id: int | str | None = None
    ok: bool | None = None
    error: Fault | None = None
    path: str | None = None
    version: int | None = None


async def ask[T](
    client: httpx.AsyncClient, method: str, path: str, into: type[T], body: object = None
) -> T:
    """Send JSON, if any, and return what the answer's envelope holds."""
    content = None if body is None else msgspec.json.encode(body)
    headers = {"content-type": "application/json"} if content else {}
    return held(await client.request(method, API + path, content=content, headers=headers), into)


def held[T](response: httpx.Response, into: type[T]) -> T:
    """Return what the envelope of an answer holds."""
    accept(response)
    data = msgspec.json.decode(response.content, type=Envelope).data
    try:
        return msgspec.json.decode(data, type=into)
    except msgspec.ValidationError as error:
        raise DemoError(f"{told(response)} answered in another shape: {error}") from error


def accept(response: httpx.Response) -> None:
    """Let a success pass; tell a failure in the fleet's own words."""
    if response.is_success:
        return
    try:
        fault = msgspec.json.decode(response.content, type=Refusal).error
    except msgspec.DecodeError:
        fault = Fault("NO_ENVELOPE", response.text[:200])
    raise DemoError(
        f"{told(response)} answered {response.status_code} {fault.code}: {fault.message}"
        f" (request {fault.request_id or response.headers.get('x-request-id', 'unknown')})"
    )


def told(response: httpx.Response) -> str:
    """Return what was asked; not its query, which may hold a key."""
    return f"{response.request.method} {response.request.url.path}"


@asynccontextmanager
async def room(
    client: httpx.AsyncClient, gateway_url: str, project_id: str
) -> AsyncIterator[ClientConnection]:
    """Be in the project's room, as somebody who has joined it."""
    deadline = asyncio.get_running_loop().time() + SECONDS_TO_BE_LET_IN
    while True:
        socket = await knock(client, gateway_url, project_id)
        try:
            await join(socket)
            break
        except ConnectionClosed as closed:
            code = closed.rcvd.code if closed.rcvd else None
            if code not in NOT_YET or asyncio.get_running_loop().time() > deadline:
                raise DemoError(f"The room closed with {code}.") from closed
            await asyncio.sleep(SECONDS_BETWEEN_TRIES)
    async with socket:
        yield socket


async def knock(client: httpx.AsyncClient, gateway_url: str, project_id: str) -> ClientConnection:
    """Open a socket to the room with a fresh ticket."""
    ticket = (await ask(client, "POST", "/auth/ws-ticket", Ticket)).ticket
    address = urlsplit(gateway_url)
    scheme = "wss" if address.scheme == "https" else "ws"
    url = f"{scheme}://{address.netloc}/collab/v1/projects/{project_id}?ticket={ticket}"
    try:
        return await connect(url, origin=Origin(gateway_url), proxy=None)
    except InvalidStatus as error:
        status = error.response.status_code
        raise DemoError(f"The room's socket answered {status}, not 101.") from error


async def join(socket: ClientConnection) -> None:
    """Join the room and wait for its consent."""
    await socket.send('{"id": 1, "type": "join-project"}')
    answer = await frame_where(socket, id=1)
    if answer.error:
        raise DemoError(f"The room refused: {answer.error.code} {answer.error.message}")


async def frame_where(socket: ClientConnection, **wanted: object) -> Frame:
    """Wait for the first frame with these members; others pass by."""
    try:
        async with asyncio.timeout(SECONDS_FOR_A_FRAME):
            while True:
                frame = msgspec.json.decode(await socket.recv(), type=Frame)
                if all(getattr(frame, name) == value for name, value in wanted.items()):
                    return frame
    except TimeoutError as error:
        raise DemoError(f"No frame with {wanted} came in {SECONDS_FOR_A_FRAME} s.") from error


class Happening(msgspec.Struct, frozen=True):
    """One server-sent event."""

    id: str
    event: str
    data: str


async def happenings(
    client: httpx.AsyncClient, path: str, after: str | None
) -> AsyncIterator[Happening]:
    """Read server-sent events, from the start or after the one with this id."""
    headers = {"accept": "text/event-stream"}
    if after is not None:
        headers["last-event-id"] = after
    async with client.stream("GET", API + path, headers=headers) as response:
        if not response.is_success:
            await response.aread()
            accept(response)
        fields: dict[str, list[str]] = {}
        async for line in response.aiter_lines():
            if line:
                name, _, value = line.partition(":")
                fields.setdefault(name, []).append(value.removeprefix(" "))
                continue
            if "data" in fields or "event" in fields:
                yield Happening(
                    id="".join(fields.get("id", [])),
                    event="".join(fields.get("event", ["message"])),
                    data="\n".join(fields.get("data", [])),
                )
            fields = {}
