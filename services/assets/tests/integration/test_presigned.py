"""Presigned uploads: the store refuses what was not announced, the service what is not so."""

from datetime import datetime

import pytest

from assets.types import BUCKET, quarantine_key
from common.errors import NotFoundError


async def begun(desk, project, content, *, user=None, **other):
    """Announce an upload of a picture."""
    body = {
        "projectId": str(project),
        "name": "ball.png",
        "size": len(content),
        "contentType": "image/png",
        "sha256": desk.sha256(content),
    } | other
    body = {name: value for name, value in body.items() if value is not None}
    return await desk.call("POST", "/api/v1/assets/uploads", user or desk.editor, json=body)


async def complete(desk, upload, user=None):
    """Say that the file was sent."""
    path = f"/api/v1/assets/uploads/{upload['id']}/complete"
    return await desk.call("POST", path, user or desk.editor)


async def sent(store, upload, content, **headers):
    """Send the file as the gateway passes it on."""
    given = {**upload["headers"], **headers}
    return await store(upload["method"], upload["url"], content=content, headers=given)


async def test_a_file_sent_straight_to_the_store_becomes_an_asset(desk, store):
    project = await desk.project()
    content = desk.png(4, 4)
    answer = await begun(desk, project, content)
    assert answer.status_code == 201, answer.text
    upload = answer.json()["data"]
    assert set(upload) == {"id", "method", "url", "headers", "expiresAt"}
    assert upload["url"].startswith("http://localhost:8080/assets/uploads/")
    assert datetime.fromisoformat(upload["expiresAt"]).tzinfo is not None
    early = await complete(desk, upload)
    assert (early.status_code, early.json()["error"]["code"]) == (409, "CONFLICT")
    assert (await sent(store, upload, content)).status_code == 200
    assert await desk.listed(project) == []
    done = await complete(desk, upload)
    assert done.status_code == 201, done.text
    asset = done.json()["data"]
    assert (asset["metadata"]["width"], asset["metadata"]["height"]) == (4, 4)
    assert (await desk.listed(project)) == [asset]
    assert len(await desk.events(project)) == 1
    again = await complete(desk, upload)
    assert (again.status_code, again.json()["data"]) == (200, asset)
    assert len(await desk.events(project)) == 1


async def test_a_hash_is_not_needed_beforehand(desk, store):
    project = await desk.project()
    content = desk.png()
    upload = (await begun(desk, project, content, sha256=None)).json()["data"]
    assert (await sent(store, upload, content)).status_code == 200
    done = await complete(desk, upload)
    assert done.json()["data"]["sha256"] == desk.sha256(content)


async def test_the_store_refuses_what_was_not_announced(desk, store):
    project = await desk.project()
    content = desk.png()
    upload = (await begun(desk, project, content)).json()["data"]
    longer = await sent(store, upload, content + b"x", **{"content-length": str(len(content) + 1)})
    other = await sent(store, upload, content[:-1] + b"x")
    html = await sent(store, upload, content, **{"content-type": "text/html"})
    elsewhere = await sent(store, upload, content, host="localhost:9999")
    key = {**upload, "url": upload["url"].replace("/uploads/", f"/{project}/")}
    moved = await sent(store, key, content)
    statuses = [a.status_code for a in (longer, other, html, elsewhere, moved)]
    assert statuses == [403, 400, 403, 403, 403]
    assert (await complete(desk, upload)).status_code == 409
    assert await desk.listed(project) == []


async def test_html_that_was_announced_as_a_picture_is_refused_and_deleted(desk, store):
    project = await desk.project()
    content = b"<!doctype html><script>alert(1)</script>"
    upload = (await begun(desk, project, content)).json()["data"]
    assert (await sent(store, upload, content)).status_code == 200
    refused = await complete(desk, upload)
    assert (refused.status_code, refused.json()["error"]["code"]) == (
        415,
        "UNSUPPORTED_MEDIA_TYPE",
    )
    assert await desk.listed(project) == []
    assert (await complete(desk, upload)).status_code == 404
    assert await stored(desk, upload) is False


async def stored(desk, upload):
    """Whether anything is in quarantine under the upload's id."""
    try:
        await desk.means().storage.head(BUCKET, quarantine_key(upload["id"]))
    except NotFoundError:
        return False
    return True


@pytest.mark.parametrize(
    ("other", "status", "field"),
    [
        ({"size": 0}, 400, "size"),
        ({"size": 5_368_709_121}, 413, "size"),
        ({"name": "../x.png"}, 400, "name"),
        ({"name": "x.html"}, 415, "contentType"),
        ({"contentType": "image"}, 400, "contentType"),
        ({"contentType": "image/png\r\nx-evil: 1"}, 400, "contentType"),
        ({"sha256": "ABC"}, 400, "sha256"),
        ({"type": "picture"}, 400, "type"),
        ({"status": "done"}, 400, "status"),
        ({"projectId": None}, 400, "projectId"),
    ],
)
async def test_an_announcement_is_checked(desk, other, status, field):
    project = await desk.project()
    answer = await begun(desk, project, desk.png(), **other)
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["details"][0]["field"] == field


async def test_who_may_announce_and_complete(desk, store):
    project = await desk.project()
    content = desk.png()
    assert (await begun(desk, project, content, user=desk.viewer)).status_code == 403
    assert (await begun(desk, project, content, user=desk.stranger)).status_code == 404
    upload = (await begun(desk, project, content)).json()["data"]
    await sent(store, upload, content)
    assert (await complete(desk, upload, desk.owner)).status_code == 404
    await desk.access(project, version=2, without=desk.editor)
    assert (await complete(desk, upload)).status_code == 404
    assert await desk.listed(project) == []


async def test_who_was_removed_is_not_told_again_what_became_of_an_upload(desk, store):
    project = await desk.project()
    content = desk.png()
    upload = (await begun(desk, project, content)).json()["data"]
    await sent(store, upload, content)
    assert (await complete(desk, upload)).status_code == 201
    await desk.access(project, version=2, without=desk.editor)
    assert (await complete(desk, upload)).status_code == 404


async def test_an_aborted_upload_never_becomes_an_asset(desk, store):
    project = await desk.project()
    content = desk.png()
    upload = (await begun(desk, project, content)).json()["data"]
    await sent(store, upload, content)
    path = f"/api/v1/assets/uploads/{upload['id']}"
    assert (await desk.call("DELETE", path, desk.owner)).status_code == 404
    assert (await desk.call("DELETE", path, desk.editor)).status_code == 204
    assert await stored(desk, upload) is False
    assert (await complete(desk, upload)).status_code == 404
    assert (await desk.call("DELETE", path, desk.editor)).status_code == 404


async def test_expired_uploads_are_swept_even_if_sent_late(desk, store):
    project = await desk.project()
    content = desk.png()
    upload = (await begun(desk, project, content)).json()["data"]
    path = f"/api/v1/assets/uploads/{upload['id']}"
    assert (await desk.call("DELETE", path, desk.editor)).status_code == 204
    # the URL is good for a while yet: what comes now is in quarantine, where nobody sees it
    assert (await sent(store, upload, content)).status_code == 200
    assert (await complete(desk, upload)).status_code == 404
    await desk.expire(upload["id"], ago_s=60)
    await desk.sweep()
    assert await stored(desk, upload) is True
    await desk.expire(upload["id"], ago_s=3_600)
    await desk.sweep()
    assert await stored(desk, upload) is False


async def test_an_expired_upload_cannot_be_completed(desk, store):
    project = await desk.project()
    content = desk.png()
    upload = (await begun(desk, project, content)).json()["data"]
    await sent(store, upload, content)
    await desk.expire(upload["id"], ago_s=1)
    late = await complete(desk, upload)
    assert (late.status_code, late.json()["error"]["code"]) == (410, "GONE")


async def test_a_taken_name_is_a_conflict_and_the_same_bytes_are_not(desk, store):
    project = await desk.project()
    content = desk.png()
    there = (await desk.upload(desk.owner, project, desk.png(filler=b"x"))).json()["data"]
    upload = (await begun(desk, project, content)).json()["data"]
    await sent(store, upload, content)
    assert (await complete(desk, upload)).status_code == 409
    await desk.call("DELETE", f"/api/v1/assets/{there['id']}", desk.owner)
    same = (await desk.upload(desk.owner, project, content)).json()["data"]
    done = await complete(desk, upload)
    assert (done.status_code, done.json()["data"]["id"]) == (200, same["id"])


async def test_without_the_object_store_an_upload_waits(serving, desk, store):
    project = await desk.project()
    content = desk.png()
    upload = (await begun(desk, project, content)).json()["data"]
    await sent(store, upload, content)
    usual = desk.client
    async with serving(S3_ENDPOINT_URL="http://127.0.0.1:9") as client:
        desk.client = client
        assert (await complete(desk, upload)).status_code == 503
        assert await desk.listed(project) == []
    desk.client = usual
    assert (await complete(desk, upload)).status_code == 201
