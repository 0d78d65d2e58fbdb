"""How much a project's library may hold: exactly so much, however many come at once."""

import asyncio
from base64 import b64encode
from contextlib import suppress

import pytest
from services.assets.tests import media

from common.errors import NotFoundError

ROOM = 100_000


@pytest.fixture
async def small(serving, desk):
    """The service, where a library is soon full."""
    # where many want a connection at once, none is refused one
    patient = {"POOL_WAIT_S": "30", "STATEMENT_S_MAX": "30"}
    async with serving(LIBRARY_BYTES_MAX=str(ROOM), **patient) as client:
        desk.client = client
        yield desk


async def held(desk, project):
    """How many bytes are counted, how many there are by rows, and how many objects have."""
    means = desk.means()
    pool = means.db._pool  # noqa: SLF001 - what is counted is told nobody else
    counted = await pool.fetchval("SELECT bytes FROM library WHERE project_id = $1", project)
    rows = await pool.fetch("SELECT sha256, size FROM blob WHERE project_id = $1", project)
    stored = 0
    for row in rows:
        with suppress(NotFoundError):
            stored += (await means.storage.head("assets", f"{project}/{row['sha256']}")).size
    return counted or 0, sum(row["size"] for row in rows), stored


async def test_what_would_be_too_much_is_refused_and_not_stored(small):
    project = await small.project()
    full = await small.upload(small.editor, project, b"\1" * ROOM, "full.bin")
    assert full.status_code == 201
    more = await small.upload(small.editor, project, b"\2", "more.bin")
    assert (more.status_code, more.json()["error"]["code"]) == (403, "QUOTA_EXCEEDED")
    assert more.json()["error"]["details"] == [{"limit": ROOM, "used": ROOM}]
    version = await small.version(small.editor, full.json()["data"]["id"], b"\3" * 9, "x.bin")
    assert version.status_code == 403
    assert [a["name"] for a in await small.listed(project)] == ["full.bin"]
    assert await held(small, project) == (ROOM, ROOM, ROOM)
    # bytes that the project has are not counted again
    again = await small.upload(small.editor, project, b"\1" * ROOM, "again.bin")
    assert again.status_code == 201
    other = await small.project()
    assert (await small.upload(small.editor, other, b"\2", "more.bin")).status_code == 201


async def test_fifty_at_once_never_hold_more_than_may_be(small):
    project = await small.project()
    size = ROOM // 10 - 1

    async def send(number):
        content = bytes([number + 1]) * size
        answer = await small.upload(small.editor, project, content, f"{number}.bin")
        return answer.status_code

    statuses = await asyncio.gather(*[send(number) for number in range(50)])
    assert sorted(statuses) == [201] * 10 + [403] * 40
    assert len(await small.listed(project, "limit=100")) == 10
    assert await held(small, project) == (10 * size,) * 3


async def test_the_same_bytes_fifty_times_at_once_are_counted_once(small):
    project = await small.project()
    content = b"\7" * (ROOM - 1)

    async def send(number):
        return (await small.upload(small.editor, project, content, f"{number}.bin")).status_code

    statuses = await asyncio.gather(*[send(number) for number in range(50)])
    assert statuses == [201] * 50
    assert await held(small, project) == (ROOM - 1,) * 3


async def test_a_batch_takes_what_there_is_room_for(small):
    project = await small.project()
    files = [(f"{n}.bin", bytes([n + 1]) * 30_000, "") for n in range(5)]
    items = (await small.batch(small.editor, project, *files)).json()["data"]
    assert sorted(item["status"] for item in items) == [201, 201, 201, 403, 403]
    assert await held(small, project) == (90_000,) * 3


async def test_a_presigned_upload_finds_no_room_any_more(small, store):
    project = await small.project()
    new = {"projectId": str(project), "name": "x.bin", "size": 3, "contentType": "a/b"}
    uploads = []
    for parts in (False, True):
        given = new | {"parts": parts}
        begun = await small.call("POST", "/api/v1/assets/uploads", small.editor, json=given)
        uploads.append(begun.json()["data"])
    await small.upload(small.editor, project, b"\1" * ROOM, "full.bin")
    for upload in uploads:
        for sent in upload.get("parts", [upload]):
            await store("PUT", sent["url"], content=b"\1\2\3", headers=sent["headers"])
        path = f"/api/v1/assets/uploads/{upload['id']}/complete"
        answer = await small.call("POST", path, small.editor)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "QUOTA_EXCEEDED")
        again = await small.call("POST", path, small.editor)
        assert again.status_code == 404
        assert await small.quarantined(upload["id"]) == []
        assert not await small.unfinished(upload["id"])
    assert await held(small, project) == (ROOM,) * 3


async def test_nor_does_a_resumable_upload_and_nothing_of_it_stays(small):
    project = await small.project()
    told = {"projectId": str(project), "filename": "x.bin"}
    said = ",".join(f"{k} {b64encode(v.encode()).decode()}" for k, v in told.items())
    spoken = {"tus_resumable": "1.0.0"}
    begun = await small.call(
        "POST",
        "/api/v1/assets/tus",
        small.editor,
        upload_length="3",
        upload_metadata=said,
        **spoken,
    )
    await small.upload(small.editor, project, b"\1" * ROOM, "full.bin")
    path = begun.headers["location"]
    refused = await small.client.patch(
        path,
        content=b"\1\2\3",
        headers=small.headers(
            small.editor,
            upload_offset="0",
            content_type="application/offset+octet-stream",
            **spoken,
        ),
    )
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "QUOTA_EXCEEDED")
    assert (await small.call("HEAD", path, small.editor, **spoken)).status_code == 410
    upload_id = path.rpartition("/")[2]
    assert await small.quarantined(upload_id) == []
    assert not await small.unfinished(upload_id)
    assert await held(small, project) == (ROOM,) * 3


async def test_what_is_made_of_a_picture_is_counted_or_refused(small):
    project = await small.project()
    picture = media.drawn(size=(640, 480))
    asset = (await small.upload(small.editor, project, picture)).json()["data"]
    path = f"/api/v1/assets/{asset['id']}/variants?format=png"
    assert (await small.call("GET", f"{path}&w=32", small.viewer)).status_code == 302
    before = (await held(small, project))[0]
    assert before > len(picture)
    await small.upload(small.editor, project, b"\1" * (ROOM - before), "full.bin")
    refused = await small.call("GET", f"{path}&w=33", small.viewer)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "QUOTA_EXCEEDED")
    assert await held(small, project) == (ROOM,) * 3
