"""A write-back may arrive while its answer does not: it is known again, nothing comes twice."""

import asyncio
import signal
from contextlib import asynccontextmanager, suppress

import pytest

from common.testing.processes import free_port
from common.testing.waiting import until

CHUNK = 65_536


class Way:
    """The way from collab to projects, on which answers may be lost."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.port = 0
        self.is_lossy = False
        self.lost = 0

    async def enter(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Let a connection through; an answer to a write-back may be where it ends."""
        inner, outer = await asyncio.open_connection("127.0.0.1", self._port)
        swallows = False

        async def ask() -> None:
            nonlocal swallows
            while data := await reader.read(CHUNK):
                # a request's body may come by itself
                if data.startswith((b"GET ", b"POST ")):
                    swallows = self.is_lossy and b"/live/write" in data
                outer.write(data)
            outer.close()

        async def answer() -> None:
            while data := await inner.read(CHUNK):
                if swallows:
                    self.lost += 1
                    break
                writer.write(data)
            writer.close()

        with suppress(ConnectionError):
            await asyncio.gather(ask(), answer())


@pytest.fixture
async def way(desk):
    """A way to the projects service."""
    made = Way(int(desk.projects.env["PORT"]))
    server = await asyncio.start_server(made.enter, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()


@asynccontextmanager
async def _started(process, service_env, desk, way):
    own = {
        "PORT": str(free_port()),
        "SOCKET_PORT": str(free_port()),
        "AUTH_URL": desk.auth.url,
        "PROJECTS_URL": f"http://127.0.0.1:{way.port}",
        "DRAIN_SECONDS": "0.2",
        "DRAIN_SPREAD_S": "0.1",
        "WRITE_BACK_S": "0.2",
    }
    made = process(("collab.main",), service_env("collab") | own)
    await made.start()
    try:
        yield made
    finally:
        await made.end(signal.SIGKILL)


@pytest.fixture
async def node(process, service_env, desk, way):
    """A process whose answers from projects may be lost."""
    async with _started(process, service_env, desk, way) as made:
        yield made


async def opened(desk, project, path, node):
    """Open a document; it is in sync."""
    where = f"/documents/{project}/{path}?access_token={desk.auth.token(desk.editor)}"
    client = desk.yjs(await desk.connect(where, node=node))
    await client.sync()
    return client


async def stored(desk, project, at):
    """The file as its history has it, which asks no live document."""
    answer = await desk.rest("GET", f"/projects/{project}/files/a.txt?at={at}")
    return answer.json()["data"]["content"]


async def newest(desk, project):
    """The number of the newest version of all."""
    answer = await desk.rest("GET", f"/projects/{project}/history")
    return answer.json()["data"][0]["seq"]


async def test_what_is_typed_goes_on_after_lost_answers(desk, way, node):
    project = await desk.project()
    await desk.write(project, "a.txt", "")
    client = await opened(desk, project, "a.txt", node)
    words = [f"<{number}>" for number in range(12)]
    for number, word in enumerate(words):
        way.is_lossy = number % 3 != 2
        await client.type(0, word)
        await client.sync()
        await asyncio.sleep(0.25)
    assert way.lost
    way.is_lossy = False
    expected = "".join(reversed(words))

    async def is_written() -> bool:
        return bool(await stored(desk, project, await newest(desk, project)) == expected)

    await until(is_written)
    assert str(client.text) == expected


async def test_a_write_after_a_lost_answer_merges_once(desk, way, node):
    project = await desk.project()
    await desk.write(project, "a.txt", "one\ntwo\n")
    client = await opened(desk, project, "a.txt", node)
    way.is_lossy = True
    await client.type(0, "typed ")
    await client.sync()

    async def is_lost() -> bool:
        return bool(way.lost)

    await until(is_lost)
    # over HTTP it would wait for the document: as if by a process that did not know that it is live
    way.is_lossy = False
    await client.type(0, "and ")
    await client.sync()
    await client.until_text("and typed one\ntwo\n")

    async def is_written() -> bool:
        seen = await stored(desk, project, await newest(desk, project))
        return bool(seen == "and typed one\ntwo\n")

    await until(is_written)
    assert str(client.text) == "and typed one\ntwo\n"


async def test_a_process_that_dies_before_it_notes_an_answer_doubles_nothing(desk, way, node):
    project = await desk.project()
    await desk.write(project, "a.txt", "one\n")
    client = await opened(desk, project, "a.txt", node)
    way.is_lossy = True
    await client.type(0, "typed ")
    await client.sync()

    async def is_lost() -> bool:
        return bool(way.lost)

    await until(is_lost)
    await node.end(signal.SIGKILL)
    way.is_lossy = False
    await node.start()
    again = await opened(desk, project, "a.txt", node)
    assert str(again.text) == "typed one\n"
    await again.type(0, "more ")
    await again.sync()
    assert await stored(desk, project, await newest(desk, project)) in {
        "typed one\n",
        "more typed one\n",
    }
