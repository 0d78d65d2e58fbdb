"""A collab process with the real projects service beside it, and people who speak to both."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from hashlib import sha256
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest
from pycrdt import Doc, Text
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from collab.yjs import messages, updates, varints
from common.ids import uuid7
from common.testing.processes import free_port
from fleet.ports import LOOPBACK

SOON_S = 5.0
ORIGIN = "http://editor.test"


class Yjs:
    """A client of the document protocol, message by message."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.doc: Doc[Text] = Doc()
        self.text = self.doc.get("content", type=Text)
        self.denied: list[str] = []
        self.awareness: dict[int, Any] = {}
        self.syncs = 0
        self._changed = asyncio.Event()
        self._mine: list[bytes] = []
        self._watching = self.doc.observe(lambda event: self._mine.append(event.update))
        self._reading = asyncio.get_running_loop().create_task(self._read())

    async def _read(self) -> None:
        try:
            async for message in self.socket:
                assert isinstance(message, bytes)
                await self._act(message)
                self._changed.set()
        except ConnectionClosed:
            pass
        self._changed.set()

    async def _act(self, message: bytes) -> None:
        if message[0] == messages.AWARENESS:
            for client, _, state in messages.read_awareness(message):
                self.awareness[client] = msgspec.json.decode(state)
            return
        if message[0] == messages.AUTH:
            self.denied.append(varints.read_bytes(message, 2)[0].decode())
            return
        body, _ = varints.read_bytes(message, 2)
        if message[1] == messages.STEP_1:
            await self._send(messages.STEP_2, self.doc.get_update(body))
            return
        if body != updates.EMPTY:
            self.doc.apply_update(body)
            self._mine.clear()
        if message[1] == messages.STEP_2:
            self.syncs += 1

    async def _send(self, step: int, body: bytes) -> None:
        await self.socket.send(bytes((0, step)) + varints.encode(len(body)) + body)

    async def ask(self) -> None:
        """Ask for what is missing, and wait for nothing."""
        await self._send(messages.STEP_1, self.doc.get_state())

    async def sync(self, within_s: float = SOON_S) -> None:
        """Ask for what is missing: the answer also says that what was sent is durable."""
        wanted = self.syncs + 1
        await self._send(messages.STEP_1, self.doc.get_state())
        await self.until(lambda: self.syncs >= wanted, within_s)

    async def edit(self, change: Callable[[Text], Any]) -> None:
        """Change the text, and send the change."""
        self._mine.clear()
        with self.doc.transaction():
            change(self.text)
        for update in self._mine:
            await self._send(messages.UPDATE, update)
        self._mine.clear()

    async def type(self, at: int, text: str) -> None:
        """Insert text."""
        await self.edit(lambda content: content.insert(at, text))

    async def cut(self, start: int, end: int) -> None:
        """Remove text."""

        def remove(content: Text) -> None:
            del content[start:end]

        await self.edit(remove)

    async def speak(self, client: int, clock: int, state: Any) -> None:
        """Send an awareness state."""
        raw = msgspec.json.encode(state)
        frame = messages.awareness([(client, clock, raw)])
        payload = frame[2:] if len(frame) < 128 else frame[4:]
        await self.socket.send(payload)

    async def until(self, holds: Callable[[], Any], within_s: float = SOON_S) -> None:
        """Wait until something holds."""
        async with asyncio.timeout(within_s):
            while not holds():
                self._changed.clear()
                await self._changed.wait()

    async def until_text(self, text: str) -> None:
        """Wait until the document has this text."""
        await self.until(lambda: str(self.text) == text)

    async def closed(self) -> int:
        """Wait for the end, and return its code."""
        async with asyncio.timeout(SOON_S):
            await self.socket.wait_closed()
        return self.socket.close_code or 0


class Guest:
    """A client of a room."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.seen: list[dict[str, Any]] = []
        self._number = 0

    async def frame(self, within_s: float = SOON_S, **wanted: Any) -> dict[str, Any]:
        """Wait for the next frame with these members; the others are kept in ``seen``."""
        async with asyncio.timeout(within_s):
            while True:
                frame: dict[str, Any] = msgspec.json.decode(await self.socket.recv())
                self.seen.append(frame)
                if all(frame.get(name) == value for name, value in wanted.items()):
                    return frame

    async def heard(self, **wanted: Any) -> dict[str, Any]:
        """Return a frame with these members that has come, or wait for it."""
        for frame in self.seen:
            if all(frame.get(name) == value for name, value in wanted.items()):
                return frame
        return await self.frame(**wanted)

    async def say(self, **frame: Any) -> dict[str, Any]:
        """Send a frame and return its reply."""
        self._number += 1
        await self.socket.send(msgspec.json.encode({"id": self._number, **frame}).decode())
        return await self.frame(id=self._number)

    async def closed(self) -> int:
        """Wait for the end, and return its code."""
        async with asyncio.timeout(SOON_S):
            try:
                while True:
                    await self.socket.recv()
            except ConnectionClosed:
                return self.socket.close_code or 0


class Desk:
    """The services, and in one test its people and projects: nobody of another test."""

    origin = ORIGIN

    def __init__(self, collab: Any, projects: Any, auth: Any, stores: Any) -> None:
        self.collab = collab
        self.projects = projects
        self.auth = auth
        self.stores = stores
        self.stack = AsyncExitStack()
        self.owner, self.editor, self.viewer, self.stranger = (uuid7() for _ in range(4))
        self.http = httpx.AsyncClient(base_url=projects.url)

    def headers(self, user: UUID) -> dict[str, str]:
        """The headers that the gateway adds."""
        secret = self.projects.env["FLEET_SECRET"]
        return {"x-fleet-secret": secret, "x-user-id": str(user)}

    async def rest(self, method: str, path: str, user: UUID | None = None, **more: Any):
        """Call the projects service as the gateway would."""
        headers = self.headers(user or self.owner) | more.pop("headers", {})
        answer = await self.http.request(method, f"/api/v1{path}", headers=headers, **more)
        assert answer.is_success, answer.text
        return answer

    async def ask(
        self, method: str, path: str, user: UUID | None, *, node: Any = None, **more: Any
    ) -> httpx.Response:
        """Call collab as the gateway would; nobody in particular where there is no user."""
        headers = self.headers(user or self.owner) | more.pop("headers", {})
        if user is None:
            del headers["x-user-id"]
        url = f"{(node or self.collab).url}/api/v1{path}"
        return await self.http.request(method, url, headers=headers, **more)

    async def project(self) -> UUID:
        """A project with an owner, an editor and a viewer."""
        answer = await self.rest("POST", "/projects", json={"name": "Game"})
        project = UUID(answer.json()["data"]["id"])
        await self.invite(project, self.editor, "editor")
        await self.invite(project, self.viewer, "viewer")
        return project

    async def invite(self, project: UUID, user: UUID, role: str) -> None:
        """Let somebody in."""
        body = {"userId": str(user), "role": role}
        await self.rest("POST", f"/projects/{project}/collaborators", json=body)

    async def write(self, project: UUID, path: str, text: str) -> None:
        """Put a file over HTTP."""
        headers = {"content-type": "text/plain"}
        where = f"/projects/{project}/files/{path}"
        await self.rest("PUT", where, content=text.encode(), headers=headers)

    async def read(self, project: UUID, path: str) -> str:
        """Get a file's text over HTTP."""
        answer = await self.rest("GET", f"/projects/{project}/files/{path}")
        text: str = answer.json()["data"]["content"]
        assert answer.headers["etag"] == f'"{sha256(text.encode()).hexdigest()}"'
        return text

    def url(self, path: str, node: Any = None) -> str:
        """The address of a socket."""
        port = (node or self.collab).env["SOCKET_PORT"]
        return f"ws://{LOOPBACK}:{port}/collab/v1{path}"

    def guest(self, socket: ClientConnection) -> Guest:
        """A room's client on a socket that is open."""
        return Guest(socket)

    def yjs(self, socket: ClientConnection) -> Yjs:
        """A document's client on a socket that is open."""
        return Yjs(socket)

    async def connect(self, path: str, *, node: Any = None, **more: Any) -> ClientConnection:
        """Open a socket as the gateway would."""
        secret = {"x-fleet-secret": self.collab.env["FLEET_SECRET"]}
        headers = more.pop("headers", secret)
        opening = connect(
            self.url(path, node), additional_headers=headers, proxy=None, max_size=None, **more
        )
        return await self.stack.enter_async_context(opening)

    async def open(self, project: UUID, path: str, user: UUID) -> Yjs:
        """Open a document; it is in sync."""
        ticket = self.auth.ticket(user)
        client = Yjs(await self.connect(f"/documents/{project}/{path}?ticket={ticket}"))
        await client.sync()
        return client

    async def room(self, project: UUID, user: UUID, *, joins: bool = True) -> Guest:
        """Enter a room."""
        ticket = self.auth.ticket(user)
        guest = Guest(await self.connect(f"/projects/{project}?ticket={ticket}"))
        await guest.frame(type="welcome")
        if joins:
            assert (await guest.say(type="join-project"))["ok"]
        return guest


@asynccontextmanager
async def _running(process, stand_in, service_env, **settings: str):
    """Run projects and collab; ``settings`` are collab's own."""
    auth = stand_in()
    listening = await auth.start()
    # ports of their own: other tests run services on the stores' ports
    here = f"http://{LOOPBACK}:{(port := free_port())}"
    beside = {"AUTH_URL": auth.url, "COLLAB_URL": here, "PORT": str(free_port())}
    projects_env = service_env("projects") | beside
    projects = process(("common.serve", "projects.main:create_app"), projects_env)
    own = {
        "AUTH_URL": auth.url,
        "PROJECTS_URL": projects.url,
        "ALLOWED_ORIGINS": ORIGIN,
        "DRAIN_SECONDS": "0.2",
        "DRAIN_SPREAD_S": "0.1",
        "PORT": str(port),
        "SOCKET_PORT": str(free_port()),
    }
    collab = process(("collab.main",), service_env("collab") | own | settings)
    await asyncio.gather(projects.start(), collab.start())
    try:
        yield collab, projects, auth
    finally:
        await asyncio.gather(collab.end(), projects.end())
        listening.close()


@pytest.fixture(scope="session")
def desk_on(process, stand_in):
    """What runs the services on any stores, and seats people at them."""

    @asynccontextmanager
    async def seats(service_env, stores, **settings: str):
        async with _running(process, stand_in, service_env, **settings) as started:

            @asynccontextmanager
            async def seat() -> AsyncIterator[Desk]:
                collab, projects, auth = started
                made = Desk(collab, projects, auth, stores)
                async with made.stack, made.http:
                    yield made

            yield seat

    return seats


@pytest.fixture(scope="session")
async def seat(desk_on, stores, service_env):
    """A seat at the services on the stores that all tests share."""
    async with desk_on(service_env, stores, DOCUMENT_IDLE_S="0.5") as made:
        yield made


@pytest.fixture
async def desk(seat) -> AsyncIterator[Desk]:
    """People and projects of one test."""
    async with seat() as made:
        yield made
