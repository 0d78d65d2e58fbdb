"""What was begun and is no asset yet: it counts, it is bounded, and nothing of it is forgotten."""

import asyncio
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from services.assets.tests import media
from services.assets.tests.integration.test_tus import begun, call, metadata, path_of, send

from assets.quarantine import strays
from assets.tus import receiving
from assets.types import BUCKET, quarantine_key
from common.errors import NotFoundError
from common.ids import uuid7

ROOM = 100_000


def announced(project, size, name="a.bin"):
    """What is said of an upload."""
    content_type = "application/octet-stream"
    return {"projectId": str(project), "name": name, "size": size, "contentType": content_type}


async def begin(desk, project, size, name="a.bin"):
    """Begin a presigned upload."""
    body = announced(project, size, name)
    return await desk.call("POST", "/api/v1/assets/uploads", desk.editor, json=body)


@pytest.fixture
async def small(serving, desk):
    """The service, where there is room for little, and three uploads may wait."""
    async with serving(LIBRARY_BYTES_MAX=str(ROOM), UPLOADS_WAITING_MAX="3") as client:
        desk.client = client
        yield desk


async def test_what_was_begun_counts_against_the_room(small):
    project = await small.project()
    assert (await begin(small, project, ROOM - 9)).status_code == 201
    assert (await begun(small, project, 5)).status_code == 201
    for refused in (await begin(small, project, 5, "b.bin"), await begun(small, project, 5)):
        assert refused.status_code == 403
        error = refused.json()["error"]
        assert error["code"] == "QUOTA_EXCEEDED"
        assert error["details"] == [{"limit": ROOM, "used": ROOM - 4}]


async def test_of_many_who_begin_at_once_no_more_wait_than_may(small):
    project = await small.project()
    answers = await asyncio.gather(*[begin(small, project, 1, f"{n}.bin") for n in range(6)])
    assert sorted(a.status_code for a in answers) == [201, 201, 201, 403, 403, 403]


async def test_what_was_given_up_counts_no_more(small):
    project = await small.project()
    first = (await begin(small, project, ROOM)).json()["data"]
    path = await small.call("DELETE", f"/api/v1/assets/uploads/{first['id']}", small.editor)
    assert path.status_code == 204
    resumable = await path_of(small, project, ROOM)
    assert (await call(small, "DELETE", resumable)).status_code == 204
    assert (await begin(small, project, ROOM)).status_code == 201


async def test_an_upload_that_is_over_takes_nothing_more(desk):
    project = await desk.project()
    made = (await begin(desk, project, 3)).json()["data"]
    parts = urlsplit(made["url"])
    path = f"/internal/objects{parts.path}?{parts.query}"
    assert (await desk.client.put(path, headers=desk.headers(None))).status_code == 200
    await desk.call("DELETE", f"/api/v1/assets/uploads/{made['id']}", desk.editor)
    assert (await desk.client.put(path, headers=desk.headers(None))).status_code == 403


async def test_what_came_after_its_upload_was_forgotten_goes(desk):
    storage = desk.means().storage
    project = await desk.project()
    waiting = (await begin(desk, project, 3)).json()["data"]["id"]
    keys = [quarantine_key(uuid7()), f"{quarantine_key(uuid7())}.7", f"uploads/{waiting}"]
    for key in keys:
        await storage.put(BUCKET, key, b"abc", content_type="text/plain")
    await strays.sweep(desk.means())
    assert [(await storage.head(BUCKET, key)).size for key in keys] == [3, 3, 3]
    await strays.sweep(desk.means(), before=datetime.now(UTC) + timedelta(minutes=1))
    for key in keys[:2]:
        with pytest.raises(NotFoundError):
            await storage.head(BUCKET, key)
    assert (await storage.head(BUCKET, keys[2])).size == 3


async def test_many_who_complete_at_once_leave_the_service_to_others(desk, store):
    project = await desk.project()
    content = media.wav()
    body = announced(project, len(content), "a.wav") | {"contentType": "audio/wav"}
    made = (await desk.call("POST", "/api/v1/assets/uploads", desk.editor, json=body)).json()
    sent = await store("PUT", made["data"]["url"], content=content, headers=made["data"]["headers"])
    assert sent.status_code == 200
    path = f"/api/v1/assets/uploads/{made['data']['id']}/complete"
    answers = await asyncio.gather(*[desk.call("POST", path, desk.editor) for _ in range(40)])
    assert {a.status_code for a in answers} <= {200, 201}
    assert len({a.json()["data"]["id"] for a in answers}) == 1


async def test_an_upload_in_many_small_pieces_is_not_ended_by_their_number(desk, monkeypatch):
    # as many parts as that are sent in vain before an upload is given up
    monkeypatch.setattr(receiving, "_LOST_MAX", 2)
    project = await desk.project()
    content = media.wav()[:60]
    path = await path_of(desk, project, len(content) + 1)
    for at in range(0, 60, 3):
        answer = await send(desk, path, at, content[at : at + 3])
        assert answer.status_code == 204, answer.text


async def test_parts_that_are_sent_in_vain_are_bounded(desk, monkeypatch):
    monkeypatch.setattr(receiving, "_LOST_MAX", 1)
    monkeypatch.setattr(receiving, "_PART_BYTES", 1_000)
    project = await desk.project()
    path = await path_of(desk, project, 2_000)
    wrong = {"upload_checksum": f"sha256 {'A' * 43}="}
    answers = [await send(desk, path, 0, b"x" * 1_500, **wrong) for _ in range(3)]
    assert [a.status_code for a in answers] == [460, 400, 410]


async def test_what_was_said_of_a_resumable_upload_is_said_again(desk):
    project = await desk.project()
    sha256 = "0" * 64
    path = await path_of(desk, project, 9, sha256=sha256)
    told = {"projectId": str(project), "filename": "rain.wav", "filetype": "audio/wav"}
    answer = await call(desk, "HEAD", path)
    assert answer.headers["upload-metadata"] == metadata(**told, sha256=sha256)


async def test_who_fails_with_the_first_bytes_learns_where_the_upload_is(desk):
    project = await desk.project()
    answer = await begun(desk, project, 3, content=b"more than that")
    assert answer.status_code == 413
    path = answer.headers["location"]
    assert (await call(desk, "HEAD", path)).headers["upload-offset"] == "0"
