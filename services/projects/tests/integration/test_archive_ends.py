"""Connections that end in the middle of an archive: what was kept for them is free again.

Only one archive may come in, and one go out, so that who comes next shows whether it is.
"""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest
from services.projects.tests.conftest import APPLICATION
from services.projects.tests.zips import Part, zipped

from common.ids import uuid7
from common.testing.apps import identity
from common.testing.processes import Process, free_port, process
from common.testing.waiting import until

IMPORT = "/api/v1/projects/import"
SMALL = zipped(Part(b"a.bin", os.urandom(1_000)))
# more than what a connection holds that nobody reads from
ARCHIVE = zipped(*[Part(b"%d.bin" % n, os.urandom(1_000_000)) for n in range(24)])


@pytest.fixture(scope="module")
async def narrow(told: dict[str, str]) -> AsyncGenerator[Process]:
    """The service, which has room for one."""
    values = told | {"PORT": str(free_port()), "ARCHIVES_OPEN_MAX": "1"}
    async with process(APPLICATION, values) as running:
        yield running


async def send(narrow: Process, owner: UUID) -> int:
    """Send an archive; return the answer's status."""
    headers = identity(narrow.secret, owner, content_type="application/zip")
    answer = await narrow.client.post(IMPORT, content=SMALL, headers=headers, timeout=60)
    return answer.status_code


@asynccontextmanager
async def connection(
    narrow: Process, head: str, owner: UUID, **headers: str
) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection on which a request has begun; it ends without a word."""
    reader, writer = await asyncio.open_connection("127.0.0.1", narrow.port)
    given = identity(narrow.secret, owner, host="service", **headers)
    lines = [f"{head} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items())]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    await writer.drain()
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def test_who_does_not_read_on_makes_room_by_going(narrow: Process) -> None:
    owner = uuid7()
    headers = identity(narrow.secret, owner, content_type="application/zip")
    made = await narrow.client.post(IMPORT, content=ARCHIVE, headers=headers, timeout=60)
    export = f"{made.headers['location']}/export"
    async with connection(narrow, f"GET {export}", owner) as (reader, _):
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        assert (await narrow.call("GET", export, owner)).status_code == 503

    async def is_free() -> bool:
        return (await narrow.call("GET", export, owner)).status_code == 200

    await until(is_free)


async def test_who_breaks_off_an_upload_makes_room(narrow: Process) -> None:
    owner = uuid7()
    told = {"content_type": "application/zip", "content_length": str(len(ARCHIVE))}

    async def is_full() -> bool:
        # who asks first has the room: it may be either of them
        async with connection(narrow, f"POST {IMPORT}", owner, **told) as (_, writer):
            writer.write(ARCHIVE[:2_000_000])
            await writer.drain()
            return await send(narrow, owner) == 503

    await until(is_full)

    async def is_free() -> bool:
        return await send(narrow, owner) == 201

    await until(is_free)
    listed = await narrow.call("GET", "/api/v1/projects", owner)
    assert {project["name"] for project in listed.json()["data"]} == {"Imported project"}
