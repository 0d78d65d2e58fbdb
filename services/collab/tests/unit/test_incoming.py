"""A process that does not read costs its own clients their sockets, and no memory."""

import asyncio
import time
from typing import override

import pytest

from collab.identity.types import Identity
from collab.links import frames
from collab.links.incoming import FarSocket, Incoming
from collab.settings import Settings
from collab.sockets.endpoint import Limits
from common.ids import uuid7

LIMITS = Limits(10, 20, 3, 1_000, 1_000)
SETTINGS = Settings(
    database_url="", fleet_secret="", nats_url="", link_buffer_bytes_max=100_000, link_beat_s=60
)
CHUNK = b"x" * 10_000


class Here(asyncio.Protocol):
    """The owner's end of a connection."""

    def __init__(self):
        self.made = asyncio.Event()
        self.welcomed: asyncio.Queue[FarSocket] = asyncio.Queue()

    @override
    def connection_made(self, transport):
        """Take the link."""
        self.transport = transport
        self.incoming = Incoming(SETTINGS, LIMITS, transport, self.welcome)
        self.made.set()

    async def welcome(self, socket, _):
        """Serve nobody, until they have gone."""
        self.welcomed.put_nowait(socket)
        await socket.wait_closed()

    @override
    def data_received(self, data):
        """Pass it on."""
        self.incoming.receive(data)


@pytest.fixture
async def ends():
    """A link: the owner's end, and the bare connection of the other process."""
    here = Here()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: here, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    await here.made.wait()
    yield here, reader, writer
    writer.transport.abort()
    await here.incoming.ended()
    server.close()


async def opened(here, writer, *channels):
    """Open channels; they are welcome."""
    somebody = Identity(uuid7(), "session", "user", time.time() + 60)
    opening = frames.Opening(f"/collab/v1/projects/{uuid7()}", somebody)
    for channel in channels:
        writer.write(frames.encode(frames.Open(channel, opening)))
    async with asyncio.timeout(5):
        return [await here.welcomed.get() for _ in channels]


async def test_a_client_whom_nothing_reaches_is_sent_away_and_then_all_are(ends):
    here, _, writer = ends
    writer.transport.pause_reading()
    one, other = await opened(here, writer, 1, 2)
    while not one.is_shut:
        one.write(CHUNK)
    assert not other.is_shut
    group = here.incoming.new_group()
    here.incoming.join(group, 2)
    while not here.transport.is_closing():
        here.incoming.tell(group, (), CHUNK)
    await here.incoming.ended()
    assert other.is_shut


async def test_what_a_client_says_before_there_is_a_sink_waits_and_is_bounded(ends):
    here, reader, writer = ends
    one, other = await opened(here, writer, 1, 2)
    for number in range(3):
        writer.write(frames.encode(frames.Message(1, is_text=True, data=b"%d" % number)))
    for _ in range(4):
        writer.write(frames.encode(frames.Message(2, is_text=False, data=b"")))
    decoder = frames.Decoder(1_000)
    async with asyncio.timeout(5):
        assert decoder.feed(await reader.read(1_000)) == [frames.Close(2, 4429, "retry-after=1")]
    heard = []
    one.attach(lambda data, is_text: heard.append((data, is_text)))
    assert heard == [(b"0", True), (b"1", True), (b"2", True)]
    assert other.is_shut


async def test_one_client_s_failure_is_not_the_others(ends):
    here, _, writer = ends
    one, other = await opened(here, writer, 1, 2)

    def fails(_, __):
        raise RuntimeError

    heard = asyncio.Event()
    one.attach(fails)
    other.attach(lambda _, __: heard.set())
    for channel in (1, 2):
        writer.write(frames.encode(frames.Message(channel, is_text=False, data=b"x")))
    async with asyncio.timeout(5):
        await heard.wait()
    assert one.is_shut
    assert not here.transport.is_closing()
