"""A small HTTP server in the place of a provider that nobody can run, or that is hostile."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

_HEAD_BYTES_MAX = 65_536


class Asked(msgspec.Struct, frozen=True):
    """A request that came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    form: dict[str, str]


class Said(msgspec.Struct, frozen=True):
    """What is answered: JSON, unless it is bytes."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = {}
    # how often the body is sent, under no announced length
    times: int = 1


type Answering = Callable[[Asked], Awaitable[Said]]


class Standin:
    """Answers each path as it is told, and remembers what was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[Asked] = []
        self.answers: dict[str, Answering] = {}

    def says(self, path: str, body: Any, status: int = 200, **more: Any) -> None:
        """Answer a path the same every time."""

        async def answering(_: Asked) -> Said:
            return Said(body, status, **more)

        self.answers[path] = answering

    def count(self, path: str) -> int:
        """How often a path was asked for."""
        return sum(asked.path == path for asked in self.asked)

    def last(self, path: str) -> Asked:
        """The last request for a path."""
        return [asked for asked in self.asked if asked.path == path][-1]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        try:
            asked = await _read(reader)
            self.asked.append(asked)
            answering = self.answers.get(asked.path)
            said = await answering(asked) if answering else Said({"message": "Not Found"}, 404)
            await _write(writer, said)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ")
    pairs = (line.split(":", 1) for line in head[1:] if line)
    headers = {name.lower(): value.strip() for name, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    parts = urlsplit(target)
    return Asked(method, parts.path, _flat(parts.query), headers, _flat(body.decode()))


def _flat(text: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(text, keep_blank_values=True).items()}


async def _write(writer: asyncio.StreamWriter, said: Said) -> None:
    body = said.body if isinstance(said.body, bytes) else msgspec.json.encode(said.body)
    headers = {"content-type": "application/json", "connection": "close"} | said.headers
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"HTTP/1.1 {said.status} Said\r\n{lines}\r\n".encode())
    for _ in range(said.times):
        writer.write(body)
        await writer.drain()


@asynccontextmanager
async def standing_in() -> AsyncGenerator[Standin]:
    """Run a stand-in."""
    made = Standin()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0, limit=_HEAD_BYTES_MAX)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        server.close()
        server.close_clients()
        await server.wait_closed()
