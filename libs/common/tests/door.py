"""A way to NATS that a test may speak into, or shut."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

_CHUNK = 65_536


class Door:
    """What goes through to a server on this machine."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0
        self.passed = 0

    async def say(self, words: bytes) -> None:
        """Tell every client something, as if the server had."""
        for writer in list(self._writers):
            writer.write(words)
            await writer.drain()

    def shut(self) -> None:
        """Cut whoever is connected off, without a word."""
        for writer in list(self._writers):
            writer.transport.abort()

    async def enter(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Let a client through, for as long as both sides want."""
        self.passed += 1
        inner, outer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers.add(writer)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_pump(reader, outer))
                group.create_task(_pump(inner, writer))
        finally:
            self._writers.discard(writer)


@asynccontextmanager
async def door(port: int) -> AsyncGenerator[Door]:
    """Open a way to a server's port, on a port of its own."""
    opened = Door(port)
    server = await asyncio.start_server(opened.enter, "127.0.0.1", 0)
    opened.port = server.sockets[0].getsockname()[1]
    try:
        yield opened
    finally:
        server.close()
        opened.shut()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
    writer.close()
