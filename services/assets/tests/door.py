"""The way to the object store, which a test may shut, or let nothing through."""

import asyncio
from contextlib import suppress

_CHUNK = 65_536


class Door:
    """What goes through to a server on this machine."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._writers: set[asyncio.StreamWriter] = set()
        self._is_shut = False
        self._flows = asyncio.Event()
        self._flows.set()
        self._lets: int | None = None
        self.port = 0

    def open(self) -> None:
        """Let everything through, from now on."""
        self._is_shut = False
        self._lets = None
        self._flows.set()

    def shut(self) -> None:
        """Cut whoever is connected off, and everybody who comes."""
        self._is_shut = True
        for writer in list(self._writers):
            writer.transport.abort()

    def shut_after(self, connections: int) -> None:
        """Let so many more in, each for one connection, and nobody after them."""
        self.shut()
        self._is_shut = False
        self._lets = connections

    def stall(self) -> None:
        """Take everything, and pass nothing on."""
        self._flows.clear()

    async def enter(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Let a client through, for as long as both sides want."""
        if self._is_shut or self._lets == 0:
            writer.transport.abort()
            return
        if self._lets is not None:
            self._lets -= 1
        inner, outer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers.add(writer)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(reader, outer))
                group.create_task(self._pump(inner, writer))
        finally:
            self._writers.discard(writer)
            outer.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while chunk := await reader.read(_CHUNK):
                await self._flows.wait()
                writer.write(chunk)
                await writer.drain()
        writer.close()
