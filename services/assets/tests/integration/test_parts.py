"""Presigned uploads in parts: resumed, compared, aborted; and nothing is left of what failed."""

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from services.assets.tests import media

from assets.quarantine import service as quarantine
from assets.types import BUCKET, object_key
from common import multipart

PART = 5 * 1024 * 1024


async def begun(desk, project, content, *, user=None, **other):
    """Announce an upload of a sound, in parts."""
    body = {
        "projectId": str(project),
        "name": "rain.wav",
        "size": len(content),
        "contentType": "audio/wav",
        "parts": True,
    } | other
    answer = await desk.call("POST", "/api/v1/assets/uploads", user or desk.editor, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]


async def sent(store, upload, content, *numbers):
    """Send these parts, or all that are missing; returns their ETags."""
    etags = []
    for part in upload["parts"]:
        if numbers and part["number"] not in numbers:
            continue
        first = (part["number"] - 1) * upload["partSize"]
        piece = content[first : first + part["size"]]
        answer = await store("PUT", part["url"], content=piece, headers=part["headers"])
        assert answer.status_code == 200, answer.text
        etags.append({"number": part["number"], "etag": answer.headers["etag"]})
    return etags


async def complete(desk, upload, *, user=None, named=None):
    """Say that everything was sent."""
    path = f"/api/v1/assets/uploads/{upload['id']}/complete"
    body = None if named is None else {"parts": named}
    return await desk.call("POST", path, user or desk.editor, json=body)


async def resumed(desk, upload, user=None):
    """Ask how far an upload is."""
    return await desk.call("GET", f"/api/v1/assets/uploads/{upload['id']}", user or desk.editor)


async def left(desk, upload):
    """What there is of an upload that nobody should find."""
    return await desk.quarantined(upload["id"]), await desk.unfinished(upload["id"])


NOTHING: tuple[list[str], bool] = ([], False)


async def test_five_parts_of_which_one_is_named_wrongly_become_an_asset_afterwards(desk, store):
    project = await desk.project()
    content = media.noise(4 * PART + 1000)
    upload = await begun(desk, project, content, sha256=desk.sha256(content))
    assert set(upload) == {"id", "method", "size", "partSize", "parts", "uploaded", "expiresAt"}
    assert [part["size"] for part in upload["parts"]] == [PART] * 4 + [1000]
    named = await sent(store, upload, content)
    wrong = [*named[:2], {"number": 3, "etag": named[0]["etag"][:-3] + '00"'}, *named[3:]]
    refused = await complete(desk, upload, named=wrong)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "VALIDATION_ERROR")
    details = refused.json()["error"]["details"]
    assert [(d["field"], d["number"]) for d in details] == [("parts[2]", 3)]
    some = await complete(desk, upload, named=named[1:])
    assert [d["number"] for d in some.json()["error"]["details"]] == [1]
    assert await desk.listed(project) == []
    done = await complete(desk, upload, named=list(reversed(named)))
    assert done.status_code == 201, done.text
    asset = done.json()["data"]
    assert (asset["size"], asset["sha256"]) == (len(content), desk.sha256(content))
    assert (asset["mimeType"], asset["type"]) == ("audio/wav", "audio")
    assert await left(desk, upload) == NOTHING
    again = await complete(desk, upload, named=named)
    assert (again.status_code, again.json()["data"]) == (200, asset)
    assert len(await desk.events(project)) == 1


async def test_an_upload_is_resumed_with_what_is_missing(desk, store):
    project = await desk.project()
    content = media.noise(2 * PART + 7)
    upload = await begun(desk, project, content)
    await sent(store, upload, content, 3, 1)
    early = await complete(desk, upload)
    assert (early.status_code, early.json()["error"]["code"]) == (409, "CONFLICT")
    assert early.json()["error"]["details"] == [{"field": "parts", "number": 2}]
    answer = await resumed(desk, upload)
    assert answer.status_code == 200, answer.text
    rest = answer.json()["data"]
    pieces = {1: content[:PART], 3: content[2 * PART :]}
    assert rest["uploaded"] == [
        {"number": n, "size": len(piece), "etag": hashlib.md5(piece).hexdigest()}  # noqa: S324 - the store's ETag
        for n, piece in pieces.items()
    ]
    assert [part["number"] for part in rest["parts"]] == [2]
    await sent(store, rest, content)
    assert (await resumed(desk, upload)).json()["data"]["parts"] == []
    assert (await complete(desk, upload)).status_code == 201
    finished = await resumed(desk, upload)
    assert (finished.status_code, finished.json()["error"]["code"]) == (409, "CONFLICT")


async def test_a_part_that_is_sent_again_replaces_the_first(desk, store):
    project = await desk.project()
    content = media.noise(PART + 7)
    upload = await begun(desk, project, content)
    await sent(store, upload, media.noise(PART + 7, b"x"), 1)
    await asyncio.sleep(1.1)  # the store counts in seconds
    named = await sent(store, upload, content)
    done = await complete(desk, upload, named=named)
    assert done.json()["data"]["sha256"] == desk.sha256(content)


async def test_the_store_takes_no_other_part_than_the_signed_one(desk, store):
    project = await desk.project()
    content = media.noise(PART + 7)
    upload = await begun(desk, project, content)
    part = upload["parts"][1]
    longer = {**part["headers"], "content-length": "8"}
    other = part["url"].replace("partNumber=2", "partNumber=1")
    answers = [
        await store("PUT", part["url"], content=b"x" * 8, headers=longer),
        await store("PUT", other, content=b"x" * 7, headers=part["headers"]),
        await store("PUT", part["url"].replace("localhost", "else"), content=b"x" * 7),
    ]
    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert (await resumed(desk, upload)).json()["data"]["uploaded"] == []


async def test_an_aborted_upload_leaves_no_parts_not_even_late_ones(desk, store):
    project = await desk.project()
    content = media.noise(2 * PART)
    upload = await begun(desk, project, content)
    await sent(store, upload, content, 1)
    path = f"/api/v1/assets/uploads/{upload['id']}"
    assert (await desk.call("DELETE", path, desk.owner)).status_code == 404
    assert (await desk.call("DELETE", path, desk.editor)).status_code == 204
    assert await left(desk, upload) == NOTHING
    part = upload["parts"][1]
    late = await store("PUT", part["url"], content=content[PART:], headers=part["headers"])
    assert late.status_code == 404
    assert await left(desk, upload) == NOTHING
    for asked in (await complete(desk, upload), await resumed(desk, upload)):
        assert asked.status_code == 404


async def test_an_expired_upload_is_swept_with_its_parts(desk, store):
    project = await desk.project()
    content = media.noise(2 * PART)
    upload = await begun(desk, project, content)
    await sent(store, upload, content, 1)
    await desk.expire(upload["id"], ago_s=60)
    for asked in (await complete(desk, upload), await resumed(desk, upload)):
        assert (asked.status_code, asked.json()["error"]["code"]) == (410, "GONE")
    await desk.sweep()
    assert await desk.unfinished(upload["id"])
    await desk.expire(upload["id"], ago_s=3_600)
    await desk.sweep()
    assert await left(desk, upload) == NOTHING


async def test_what_was_begun_in_the_store_and_belongs_to_nobody_is_swept(desk, store):
    project = await desk.project()
    content = media.noise(2 * PART)
    upload = await begun(desk, project, content)
    means = desk.means()
    key = f"uploads/{project}"
    stray = await multipart.begin(means.storage, BUCKET, key, content_type="text/plain")
    await quarantine.sweep_strays(means)
    assert await desk.unfinished(str(project))
    await quarantine.sweep_strays(means, before=datetime.now(UTC) + timedelta(seconds=5))
    unfinished = {made.id async for made, _ in multipart.unfinished(means.storage, BUCKET)}
    assert stray.id not in unfinished
    # the store's clock may have said that this one is old as well, and its row knows it
    assert await desk.unfinished(upload["id"])
    await sent(store, upload, content)
    assert (await complete(desk, upload)).status_code == 201


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"content": b"<!doctype html><script>" + b" " * PART}, 415, "UNSUPPORTED_MEDIA_TYPE"),
        ({"sha256": "0" * 64}, 400, "VALIDATION_ERROR"),
    ],
)
async def test_what_is_not_what_was_announced_is_refused_and_gone(
    desk, store, change, status, code
):
    project = await desk.project()
    content = change.pop("content", media.noise(PART + 9))
    upload = await begun(desk, project, content, **change)
    await sent(store, upload, content)
    refused = await complete(desk, upload)
    assert (refused.status_code, refused.json()["error"]["code"]) == (status, code)
    assert await left(desk, upload) == NOTHING
    assert await desk.listed(project) == []
    assert (await complete(desk, upload)).status_code == 404


async def test_who_may_go_on(desk, store):
    project = await desk.project()
    content = media.noise(PART + 9)
    upload = await begun(desk, project, content)
    await sent(store, upload, content)
    for user in (desk.owner, desk.stranger):
        assert (await resumed(desk, upload, user)).status_code == 404
        assert (await complete(desk, upload, user=user)).status_code == 404
    await desk.access(project, version=2, without=desk.editor)
    assert (await resumed(desk, upload)).status_code == 404
    assert (await complete(desk, upload)).status_code == 404
    assert await desk.listed(project) == []


async def test_completed_by_several_at_once_it_is_one_asset(desk, store):
    project = await desk.project()
    content = media.noise(PART + 9)
    upload = await begun(desk, project, content)
    await sent(store, upload, content)
    answers = await asyncio.gather(*[complete(desk, upload) for _ in range(4)])
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    assert len({answer.json()["data"]["id"] for answer in answers}) == 1
    assert await left(desk, upload) == NOTHING


async def test_who_died_after_the_store_had_joined_the_parts_goes_on(desk, store):
    project = await desk.project()
    content = media.noise(PART + 9)
    upload = await begun(desk, project, content)
    await sent(store, upload, content)
    waiting = multipart.unfinished(desk.means().storage, BUCKET)
    made = next(iter([made async for made, _ in waiting if upload["id"] in made.key]))
    await made.complete(await made.parts())
    assert (await resumed(desk, upload)).json()["data"]["parts"] == []
    assert (await complete(desk, upload)).status_code == 201


async def test_a_large_file_comes_in_parts_and_is_copied_by_the_store(serving, desk, store):
    project = await desk.project()
    content = media.noise(2 * PART + 5)
    usual = desk.client
    async with serving(ASSET_BYTES_MAX="6000000") as client:
        desk.client = client
        upload = await begun(desk, project, content, parts=False)
        assert len(upload["parts"]) == 3
        await sent(store, upload, content)
        done = await complete(desk, upload)
        assert done.status_code == 201, done.text
        sha256 = desk.sha256(content)
        assert done.json()["data"]["sha256"] == sha256
        key = object_key(project, sha256)
        storage = desk.means().storage
        assert (await storage.head(BUCKET, key)).content_type == "audio/wav"
        assert await storage.get(BUCKET, key) == content
        assert await left(desk, upload) == NOTHING
        picture = desk.png(4, 4) + bytes(2 * PART)
        upload = await begun(
            desk, project, picture, name="sky.png", contentType="image/png", parts=False
        )
        await sent(store, upload, picture)
        refused = await complete(desk, upload)
        assert (refused.status_code, refused.json()["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")
        assert await left(desk, upload) == NOTHING
    desk.client = usual


async def test_without_the_object_store_nothing_is_lost(serving, desk, store):
    project = await desk.project()
    content = media.noise(PART + 9)
    upload = await begun(desk, project, content)
    await sent(store, upload, content)
    usual = desk.client
    async with serving(S3_ENDPOINT_URL="http://127.0.0.1:9") as client:
        desk.client = client
        for asked in (await complete(desk, upload), await resumed(desk, upload)):
            assert asked.status_code == 503
            assert asked.headers["retry-after"] == "1"
        body = {"projectId": str(project), "name": "x.wav", "size": 9, "contentType": "audio/wav"}
        answer = await desk.call(
            "POST", "/api/v1/assets/uploads", desk.editor, json=body | {"parts": True}
        )
        assert answer.status_code == 503
    desk.client = usual
    assert (await complete(desk, upload)).status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        {"parts": [{"number": 0, "etag": "x"}]},
        {"parts": [{"number": 1, "etag": ""}]},
        {"parts": [{"number": 1, "etag": "x", "size": 1}]},
        {"parts": "all"},
        {"files": []},
        [],
    ],
)
async def test_a_completion_is_checked(desk, body):
    project = await desk.project()
    upload = await begun(desk, project, media.noise(PART))
    path = f"/api/v1/assets/uploads/{upload['id']}/complete"
    answer = await desk.call("POST", path, desk.editor, json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_ERROR")
    await desk.call("DELETE", f"/api/v1/assets/uploads/{upload['id']}", desk.editor)
