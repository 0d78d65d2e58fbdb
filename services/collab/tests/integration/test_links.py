"""Two processes and the link between them, through a proxy that can cut or stop it."""

import asyncio
import time
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import pytest

from collab.links import wire, words
from common.ids import uuid7
from common.testing.processes import free_port
from fleet.ports import LOOPBACK

ADVERTISED = "127.0.0.2"


class Proxy:
    """What others reach a process by."""

    def __init__(self, port):
        self.port = port
        self.made = 0
        self.transports = set()
        self.is_quiet = asyncio.Event()
        self.is_quiet.set()
        self._may_go_on = asyncio.Event()
        self._may_go_on.set()

    @asynccontextmanager
    async def running(self):
        """Listen."""
        server = await asyncio.start_server(self._serve, ADVERTISED, self.port)
        try:
            yield self
        finally:
            server.close()
            self.cut()

    async def _serve(self, reader, writer):
        self.made += 1
        try:
            there, back = await asyncio.open_connection(LOOPBACK, self.port)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer.transport, back.transport}
        self.transports |= ends
        self.is_quiet.clear()
        await asyncio.gather(self._copy(reader, back), self._copy(there, writer))
        self.transports -= ends
        if not self.transports:
            self.is_quiet.set()

    async def _copy(self, reader, writer):
        try:
            while data := await reader.read(65_536):
                await self._may_go_on.wait()
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        writer.close()

    def cut(self):
        """End every connection."""
        for transport in self.transports:
            transport.abort()

    def stop(self):
        """Let nothing pass, and hold what comes."""
        self._may_go_on.clear()

    def go_on(self):
        """Let everything pass again."""
        self._may_go_on.set()


class Pair:
    """A process that owns, another one at which people are, and what is between them."""

    def __init__(self, owner, near, proxy):
        self.owner = owner
        self.near = near
        self.proxy = proxy


@pytest.fixture(scope="module")
async def processes(process, service_env, seat):
    """Two processes."""
    async with seat() as desk:
        auth, projects = desk.auth.url, desk.projects.url
    shared = {
        "AUTH_URL": auth,
        "PROJECTS_URL": projects,
        "DRAIN_SECONDS": "0.2",
        "DRAIN_SPREAD_S": "0.1",
        "LINK_BEAT_S": "0.3",
        "LINK_IDLE_S": "0.5",
        "SEND_BUFFER_BYTES_MAX": "262144",
        "DOCUMENT_BYTES_MAX": "16777216",
    }
    async with AsyncExitStack() as stack:
        made, proxies = [], []
        for host in (ADVERTISED, LOOPBACK):
            ports = {"PORT": str(free_port()), "SOCKET_PORT": str(free_port())}
            own = ports | {"ADVERTISED_HOST": host}
            if host == ADVERTISED:
                proxies = [
                    await stack.enter_async_context(Proxy(int(port)).running())
                    for port in ports.values()
                ]
            made.append(process(("collab.main",), service_env("collab") | shared | own))
            await made[-1].start()
            stack.push_async_callback(made[-1].end)
        yield Pair(made[0], made[1], proxies[1])


@pytest.fixture
async def pair(processes):
    """Two processes without a link."""
    await processes.proxy.is_quiet.wait()
    processes.proxy.made = 0
    return processes


async def opened(desk, project, user, node, **claims):
    """Open the document at a process; it is in sync."""
    where = f"/documents/{project}/a.txt?access_token={desk.auth.token(user, **claims)}"
    client = desk.yjs(await desk.connect(where, node=node))
    await client.sync()
    return client


@pytest.fixture
async def project(desk):
    """A project with an empty file."""
    made = await desk.project()
    await desk.write(made, "a.txt", "")
    return made


async def test_twenty_people_at_two_processes_converge_over_one_link(desk, pair, project):
    nodes = [pair.owner, *(pair.near for _ in range(10)), *(pair.owner for _ in range(9))]
    people = [await opened(desk, project, desk.editor, node) for node in nodes]

    async def types(number):
        for turn in range(10):
            await people[number].type(0, f"<{number}.{turn}>")
            await asyncio.sleep(0)

    await asyncio.gather(*(types(number) for number in range(20)))
    words_typed = {f"{number}.{turn}" for number in range(20) for turn in range(10)}
    for one in people:
        await one.until(lambda one=one: set(str(one.text)[1:-1].split("><")) == words_typed)
    assert len({str(one.text) for one in people}) == 1
    assert Counter(str(people[0].text)[1:-1].split("><")).most_common(1)[0][1] == 1
    assert pair.proxy.made == 1


async def test_a_room_at_two_processes_is_told_everything_once(desk, pair, project):
    guests = []
    for node in (pair.owner, pair.near, pair.near, pair.owner):
        where = f"/projects/{project}?access_token={desk.auth.token(desk.editor)}"
        guests.append(desk.guest(await desk.connect(where, node=node)))
        assert (await guests[-1].say(type="join-project"))["ok"]
    await guests[1].say(type="presence.update", state={"mood": "calm"})
    for number in (0, 2, 3):
        told = await guests[number].frame(type="presence")
        assert told["state"] == {"mood": "calm"}
    assert (await guests[2].say(type="chat", text="hello"))["ok"]
    for guest in guests:
        assert (await guest.heard(type="chat"))["text"] == "hello"
        await guest.say(type="ping")
        assert sum(frame["type"] == "chat" for frame in guest.seen if "type" in frame) == 1
    assert not any(frame.get("type") == "presence" for frame in guests[1].seen)


async def test_a_reader_at_the_other_process_who_is_too_slow_is_cut_off_alone(desk, pair, project):
    one = await opened(desk, project, desk.editor, pair.owner)
    slow, other = [await opened(desk, project, desk.editor, pair.near) for _ in range(2)]
    slow.socket.transport.pause_reading()
    page = "x" * 65_536
    for _ in range(16):
        for _ in range(10):
            await one.type(0, page)
        await one.sync()
    await other.until(lambda: len(str(other.text)) == 160 * len(page))
    slow.socket.transport.resume_reading()
    assert await slow.closed() in {1013, 1006}
    await one.type(0, "!")
    await other.until(lambda: str(other.text).startswith("!"))
    assert pair.proxy.made == 1


async def test_a_link_that_breaks_sends_its_people_home_and_loses_nothing(desk, pair, project):
    stays = await opened(desk, project, desk.owner, pair.owner)
    goes = [await opened(desk, project, desk.editor, pair.near) for _ in range(3)]
    for number, one in enumerate(goes):
        await one.type(0, f"<safe{number}>")
        await one.sync()
    pair.proxy.cut()
    for one in goes:
        await one.edit(lambda text: text.insert(0, "<late>"))
    assert [await one.closed() for one in goes] == [1012, 1012, 1012]
    # what was not acknowledged comes with who typed it
    where = f"/documents/{project}/a.txt?access_token={desk.auth.token(desk.editor)}"
    again = desk.yjs(await desk.connect(where, node=pair.near))
    again.doc.apply_update(goes[0].doc.get_update())
    await again.sync()
    await stays.until(lambda: "<late>" in str(stays.text))
    for one in (again, stays):
        assert all(str(one.text).count(f"<safe{number}>") == 1 for number in range(3))


async def test_a_link_on_which_nothing_comes_is_given_up(desk, pair, project):
    await opened(desk, project, desk.owner, pair.owner)
    one = await opened(desk, project, desk.editor, pair.near)
    pair.proxy.stop()
    assert await one.closed() == 1012
    pair.proxy.go_on()
    two = await opened(desk, project, desk.editor, pair.near)
    await two.type(0, "on we go")
    await two.sync()


async def test_a_role_holds_at_the_other_process_from_the_moment_it_is_given(desk, pair, project):
    await opened(desk, project, desk.owner, pair.owner)
    viewer = await opened(desk, project, desk.viewer, pair.near)
    await viewer.type(0, "no")
    await viewer.until(lambda: viewer.denied)
    editor = await opened(desk, project, desk.editor, pair.near)
    assert str(editor.text) == ""
    role = {"role": "viewer"}
    await desk.rest("PATCH", f"/projects/{project}/collaborators/{desk.editor}", json=role)
    async with asyncio.timeout(1):
        while not editor.denied:
            await editor.type(0, "x")
            await asyncio.sleep(0.02)
    await desk.rest("DELETE", f"/projects/{project}/collaborators/{desk.viewer}")
    async with asyncio.timeout(1):
        assert await viewer.closed() == 4403


async def test_a_socket_at_the_other_process_ends_with_its_token(desk, pair, project):
    await opened(desk, project, desk.owner, pair.owner)
    one = await opened(desk, project, desk.editor, pair.near, exp=int(time.time()) + 2)
    assert await one.closed() == 4401


async def test_who_floods_is_sent_away_alone(desk, pair, project):
    await opened(desk, project, desk.owner, pair.owner)
    one, other = [await opened(desk, project, desk.editor, pair.near) for _ in range(2)]
    for _ in range(1_100):
        await one.socket.send(b"\x03")
    assert await one.closed() == 4429
    await other.type(0, "calm")
    await other.sync()
    assert pair.proxy.made == 1


async def test_a_link_that_nobody_needs_ends_and_another_is_made(desk, pair, project):
    await opened(desk, project, desk.owner, pair.owner)
    one = await opened(desk, project, desk.editor, pair.near)
    await one.socket.close()
    async with asyncio.timeout(5):
        await pair.proxy.is_quiet.wait()
    two = await opened(desk, project, desk.editor, pair.near)
    await two.type(0, "x")
    await two.sync()
    assert pair.proxy.made == 2


async def test_garbage_ends_a_link(pair):
    secret = pair.owner.env["FLEET_SECRET"]
    port = pair.owner.env["SOCKET_PORT"]
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    lines = [
        f"GET {wire.PATH} HTTP/1.1",
        "Host: collab",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        f"x-fleet-secret: {secret}",
        f"{words.HEADER}: {words.signed(uuid7(), secret)}",
    ]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101")
    writer.write(b"\x00\x00\x00\x01\x63!")
    with suppress(ConnectionResetError):
        async with asyncio.timeout(5):
            while await reader.read(1_024):
                pass
    writer.close()
