"""Count the turns between a client and PostgreSQL: a way through that watches who speaks."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit, urlunsplit

import msgspec

from fleet.ports import LOOPBACK

CHUNK = 65_536


class Turns(msgspec.Struct, kw_only=True):
    """How often a client spoke after the server had; pipelined messages are one turn."""

    port: int = 0
    count: int = 0

    def url(self, address: str) -> str:
        """Return a database's address that leads through here."""
        parts = urlsplit(address)
        account = parts.netloc.rpartition("@")[0]
        return urlunsplit(parts._replace(netloc=f"{account}@{LOOPBACK}:{self.port}"))

    def taken(self) -> int:
        """Return the turns since the last call, and begin again at nothing."""
        count, self.count = self.count, 0
        return count


class _Line(msgspec.Struct):
    """One connection: whose turn it is."""

    server_spoke_last: bool = True


@asynccontextmanager
async def counted(port: int) -> AsyncIterator[Turns]:
    """Listen on a port of its own and pass everything on to PostgreSQL's."""
    turns = Turns()
    connections: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            connections.add(task)
            task.add_done_callback(connections.discard)
        await _pass_on(turns, port, reader, writer)

    server = await asyncio.start_server(accept, LOOPBACK, 0)
    turns.port = server.sockets[0].getsockname()[1]
    try:
        yield turns
    finally:
        server.close()
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


async def _pass_on(
    turns: Turns, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    upstream_reader, upstream_writer = await asyncio.open_connection(LOOPBACK, port)
    line = _Line()

    def client_spoke() -> None:
        turns.count += line.server_spoke_last
        line.server_spoke_last = False

    def server_spoke() -> None:
        line.server_spoke_last = True

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_pump(reader, upstream_writer, client_spoke))
            group.create_task(_pump(upstream_reader, writer, server_spoke))
    finally:
        for end in (writer, upstream_writer):
            end.close()


async def _pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, note: Callable[[], None]
) -> None:
    with suppress(ConnectionError):
        while chunk := await reader.read(CHUNK):
            note()
            writer.write(chunk)
            await writer.drain()
    writer.close()
