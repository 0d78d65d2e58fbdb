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
        self._last_words: bytes | None = None
        self.port = 0

    def open(self) -> None:
        """Let everything through, from now on."""
        self._is_shut = False
        self._last_words = None
        self._flows.set()

    def shut(self) -> None:
        """Cut whoever is connected off, and everybody who comes."""
        self._is_shut = True
        for writer in list(self._writers):
            writer.transport.abort()

    def shut_at(self, words: bytes) -> None:
        """Let everything through until somebody says this."""
        self._last_words = words

    def stall(self) -> None:
        """Take everything, and pass nothing on."""
        self._flows.clear()

    async def enter(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Let a client through, for as long as both sides want."""
        if self._is_shut:
            writer.transport.abort()
            return
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
                if self._last_words is not None and self._last_words in chunk:
                    self.shut()
                writer.write(chunk)
                await writer.drain()
        writer.close()
