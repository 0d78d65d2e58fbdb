"""Resumable uploads when a connection, the service or the store breaks: what was said is true."""

import asyncio
import os
import random
import signal
from base64 import b64encode
from contextlib import suppress
from hashlib import sha256

import httpx
import pytest
from services.assets.tests import media

from common.testing.waiting import until

BASE = "/api/v1/assets/tus"
PART = 8 * 1024 * 1024
BYTES = "application/offset+octet-stream"
SPOKEN = {"tus-resumable": "1.0.0"}


def sound(size):
    """A sound of so many bytes."""
    return media.noise(size, os.urandom(size))


class Sender:
    """One upload, of which bytes are sent to a service that may die."""

    def __init__(self, service, desk, path):
        self._service = service
        self._desk = desk
        self.path = path
        self.id = path.rpartition("/")[2]

    @classmethod
    async def begun(cls, service, desk, project, size, name="rain.wav"):
        """Begin an upload."""
        told = {"projectId": str(project), "filename": name, "filetype": "audio/wav"}
        said = ",".join(f"{k} {b64encode(v.encode()).decode()}" for k, v in told.items())
        headers = desk.headers(desk.editor) | SPOKEN
        headers |= {"upload-length": str(size), "upload-metadata": said}
        answer = await service.client.post(BASE, headers=headers)
        assert answer.status_code == 201, answer.text
        return cls(service, desk, answer.headers["location"])

    async def ask(self, method, content=None, **headers):
        """Ask about the upload, or go on with it."""
        given = self._desk.headers(self._desk.editor) | SPOKEN
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        return await self._service.client.request(
            method, self.path, content=content, headers=given, timeout=60
        )

    async def offset(self):
        """How far the upload is."""
        answer = await self.ask("HEAD")
        assert answer.status_code == 200, answer.status_code
        return int(answer.headers["upload-offset"])

    async def send(self, offset, content, **headers):
        """Go on with it, once nobody else does."""
        given = {"content_type": BYTES, "upload_offset": str(offset)} | headers

        async def answered():
            answer = await self.ask("PATCH", content, **given)
            return None if answer.status_code == 423 else answer

        return await until(answered)

    async def connection(self, offset, length, **headers):
        """Begin a request by hand, so that it can be broken off."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._service.port)
        given = self._desk.headers(self._desk.editor) | SPOKEN | headers
        given |= {"host": "assets", "content-type": BYTES, "upload-offset": str(offset)}
        lines = [f"PATCH {self.path} HTTP/1.1", *(f"{n}: {v}" for n, v in given.items())]
        lines.append(f"content-length: {length}")
        writer.write("\r\n".join([*lines, "", ""]).encode())
        return reader, writer

    async def left(self):
        """What there is of it that nobody should find."""
        return await self._desk.quarantined(self.id), await self._desk.unfinished(self.id)


@pytest.mark.parametrize("size", [1000, 6_000_000, PART + 6_000_000, 2 * PART + 100])
async def test_what_arrived_of_a_request_that_broke_off_is_kept(service, desk, size):
    project = await desk.project()
    content = sound(3 * PART)
    sender = await Sender.begun(service, desk, project, len(content))
    assert (await sender.send(0, content[:500])).status_code == 204
    _, writer = await sender.connection(500, len(content) - 500)
    writer.write(content[500:size])
    await writer.drain()
    await asyncio.sleep(0.2)
    writer.close()

    async def is_kept():
        return await sender.offset() == size

    await until(is_kept)
    assert (await sender.send(size, content[size:])).status_code == 204
    (asset,) = await desk.listed(project)
    assert asset["sha256"] == desk.sha256(content)


async def test_what_a_checksum_should_vouch_for_is_not_kept_when_it_breaks_off(service, desk):
    project = await desk.project()
    content = sound(2 * PART)
    sender = await Sender.begun(service, desk, project, len(content))
    digest = b64encode(sha256(content[500:]).digest()).decode()
    checksum = {"upload-checksum": f"sha256 {digest}"}
    assert (await sender.send(0, content[:500])).status_code == 204
    _, writer = await sender.connection(500, len(content) - 500, **checksum)
    writer.write(content[500 : PART + 1000])
    await writer.drain()
    await asyncio.sleep(0.3)
    writer.close()
    assert (await sender.send(500, content[500:], **checksum)).status_code == 204
    (asset,) = await desk.listed(project)
    assert asset["sha256"] == desk.sha256(content)


async def test_what_was_acknowledged_outlives_the_service(service, desk):
    project = await desk.project()
    content = sound(3 * PART)
    sender = await Sender.begun(service, desk, project, len(content))
    assert (await sender.send(0, content[:1000])).status_code == 204
    _, writer = await sender.connection(1000, len(content) - 1000)
    writer.write(content[1000 : 2 * PART + 5000])
    await writer.drain()

    async def has_parts():
        return await sender.offset() == 2 * PART

    await until(has_parts)
    await service.end(signal.SIGKILL)
    writer.close()
    await service.start()
    assert await sender.offset() == 2 * PART
    assert (await sender.send(2 * PART, content[2 * PART :])).status_code == 204
    (asset,) = await desk.listed(project)
    assert asset["sha256"] == desk.sha256(content)
    assert await sender.left() == ([], False)


async def test_however_often_the_service_is_killed_the_file_is_whole_or_not_there(service, desk):
    project = await desk.project()
    content = sound(2 * PART + 3_000_000)
    sender = await Sender.begun(service, desk, project, len(content))
    dice = random.Random()  # noqa: S311 - when it dies is no secret
    acknowledged = deaths = 0
    asset_id = None
    while asset_id is None:
        offset = await sender.offset()
        assert offset >= acknowledged
        piece = content[offset : offset + dice.randrange(1, 7_000_000)]
        sending = asyncio.create_task(sender.send(offset, piece))
        if deaths < 6:
            await asyncio.sleep(dice.uniform(0, 0.4))
            await service.end(signal.SIGKILL)
            await service.start()
            deaths += 1
        with suppress(httpx.TransportError):
            answer = await sending
            assert answer.status_code in {204, 409}, answer.text
            if answer.status_code == 204:
                acknowledged = int(answer.headers["upload-offset"])
        asked = await sender.ask("HEAD")
        asset_id = asked.headers.get("asset-id")
    (asset,) = await desk.listed(project)
    assert (asset["id"], asset["sha256"]) == (asset_id, desk.sha256(content))
    assert len(await desk.events(project)) == 1
    await desk.expire(sender.id, ago_s=3_600)
    await desk.sweep()
    assert await sender.left() == ([], False)


async def test_while_the_store_is_away_nothing_is_acknowledged(desk, behind_a_door):
    service, door = behind_a_door
    project = await desk.project()
    content = sound(PART + 1000)
    sender = await Sender.begun(service, desk, project, len(content))
    assert (await sender.send(0, content[:500])).status_code == 204
    for way in (door.shut, door.stall):
        way()
        refused = await sender.send(500, content[500:])
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "UNAVAILABLE")
        assert refused.headers["retry-after"] == "1"
        assert await sender.offset() == 500
        door.open()
    assert (await sender.send(500, content[500:])).status_code == 204
    (asset,) = await desk.listed(project)
    assert asset["sha256"] == desk.sha256(content)


@pytest.mark.parametrize(
    "moment", [b"POST /assets/uploads/", b"GET /assets/uploads/", b"PUT /assets/%s/"]
)
async def test_who_lost_the_store_at_the_end_is_not_told_that_all_is_well(
    desk, behind_a_door, moment
):
    service, door = behind_a_door
    project = await desk.project()
    content = sound(1000)
    sender = await Sender.begun(service, desk, project, len(content))
    door.shut_at(moment % str(project).encode() if b"%" in moment else moment)
    refused = await sender.send(0, content)
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "UNAVAILABLE")
    asked = await sender.ask("HEAD")
    assert (asked.status_code, asked.headers["retry-after"]) == (503, "1")
    assert await desk.listed(project) == []
    door.open()
    done = await sender.ask("HEAD")
    assert (done.status_code, done.headers["upload-offset"]) == (200, "1000")
    (asset,) = await desk.listed(project)
    assert (asset["id"], asset["sha256"]) == (done.headers["asset-id"], desk.sha256(content))
    assert await sender.left() == ([], False)
