"""A network between a client and a server that a test can cut, freeze and mend."""

import asyncio
import itertools
import socket
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

_HOST = "127.0.0.1"
_CHUNK = 65_536
# closing sends a reset, as who unplugs a machine is heard at last
_AT_ONCE = struct.pack("ii", 1, 0)


class Wire:
    """Passes bytes on between who connects to ``port`` and a server's own port.

    Of several servers each connection has another one, and one that is up where one is.
    """

    def __init__(self, *to_ports: int) -> None:
        self._to_ports = to_ports
        self._turns = itertools.count()
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_whole = True
        self._flows = asyncio.Event()
        self._flows.set()

    @property
    def port(self) -> int:
        """Where clients connect."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def open(self) -> None:
        """Begin to pass on."""
        self._server = await asyncio.start_server(self._meet, _HOST, 0)

    async def close(self) -> None:
        """Pass nothing on any more."""
        self.cut()
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Break every connection, and let nobody in until it is mended."""
        self._is_whole = False
        for writer in list(self._open):
            _break(writer)

    def freeze(self) -> None:
        """Let nothing through, and tell nobody."""
        self._flows.clear()

    def mend(self) -> None:
        """Let everybody in, and everything through."""
        self._is_whole = True
        self._flows.set()

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await self._server_side() if self._is_whole else None
        if there is None:
            _break(writer)
            return
        for source, sink in ((reader, there[1]), (there[0], writer)):
            self._open.add(sink)
            task = asyncio.create_task(self._pass(source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _server_side(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        turn = next(self._turns)
        for number in range(len(self._to_ports)):
            port = self._to_ports[(turn + number) % len(self._to_ports)]
            with suppress(OSError):
                return await asyncio.open_connection(_HOST, port)
        return None

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(_CHUNK):
                await self._flows.wait()
                sink.write(data)
                await sink.drain()
        self._open.discard(sink)
        with suppress(OSError, RuntimeError):
            sink.close()


def _break(writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    writer.transport.abort()


@asynccontextmanager
async def wire(*to_ports: int) -> AsyncGenerator[Wire]:
    """Lay a wire to a port, or to several."""
    made = Wire(*to_ports)
    await made.open()
    try:
        yield made
    finally:
        await made.close()
