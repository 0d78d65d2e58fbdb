"""Uploads through the service: whole and known for what they are, or not there at all."""

import asyncio
from uuid import uuid4

import pytest

HTML = b"<!doctype html><script>alert(1)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def code(answer):
    return answer.json()["error"]["code"]


def details(answer):
    return answer.json()["error"]["details"]


async def test_an_uploaded_picture_is_an_asset_and_announced_once(desk):
    project = await desk.project()
    content = desk.png(7, 5)
    answer = await desk.upload(desk.editor, project, content, "ball.png", "image/png")
    assert answer.status_code == 201, answer.text
    asset = answer.json()["data"]
    assert answer.headers["location"] == f"/api/v1/assets/{asset['id']}"
    assert asset == {
        "id": asset["id"],
        "projectId": str(project),
        "userId": str(desk.editor),
        "name": "ball.png",
        "type": "image",
        "size": len(content),
        "mimeType": "image/png",
        "sha256": desk.sha256(content),
        "version": 1,
        "url": f"http://localhost:8080/api/v1/assets/{asset['id']}/download",
        "thumbnailUrl": None,
        "metadata": {"width": 7, "height": 5, "frames": 1, "hasAlpha": False},
        "createdAt": asset["createdAt"],
        "updatedAt": asset["updatedAt"],
    }
    assert asset["createdAt"].endswith("Z")
    [(subject, event)] = await desk.events(project)
    assert subject == "assets.asset.created.v1"
    assert event["assetId"] == asset["id"]
    assert event["sha256"] == desk.sha256(content)


async def test_the_same_bytes_under_the_same_name_are_the_same_asset(desk):
    project = await desk.project()
    first = await desk.upload(desk.editor, project, desk.png())
    again = await desk.upload(desk.owner, project, desk.png())
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["data"] == first.json()["data"]
    assert len(await desk.events(project)) == 1


async def test_twenty_at_once_make_one_asset(desk):
    project = await desk.project()
    uploads = [desk.upload(desk.editor, project, desk.png()) for _ in range(20)]
    answers = await asyncio.gather(*uploads)
    assert sorted(a.status_code for a in answers) == [200] * 19 + [201]
    assert len(await desk.listed(project)) == 1


@pytest.mark.parametrize("name", ["ball.png", "BALL.PNG", "Ball.png"])
async def test_other_bytes_under_a_taken_name_are_a_conflict(desk, name):
    project = await desk.project()
    first = await desk.upload(desk.editor, project, desk.png())
    other = await desk.upload(desk.editor, project, desk.png(filler=b"x"), name)
    assert other.status_code == 409
    assert code(other) == "CONFLICT"
    assert details(other) == [{"field": "name", "assetId": first.json()["data"]["id"]}]
    assert len(await desk.listed(project)) == 1


async def test_the_given_name_wins_over_the_files(desk):
    project = await desk.project()
    answer = await desk.upload(desk.editor, project, desk.png(), "x.png", name="Kugel ä.png")
    assert answer.json()["data"]["name"] == "Kugel ä.png"
    # a field left empty, as an HTML form sends it, is a field not given
    answer = await desk.upload(desk.editor, project, desk.png(), "y.png", name="", type="")
    assert answer.json()["data"]["name"] == "y.png"


@pytest.mark.parametrize("role", ["viewer", "commenter"])
async def test_a_weak_role_may_not_upload(desk, role):
    project = await desk.project(is_public=True)
    answer = await desk.upload(getattr(desk, role), project, desk.png())
    assert (answer.status_code, code(answer)) == (403, "FORBIDDEN")
    assert await desk.listed(project) == []


async def test_a_stranger_does_not_learn_of_a_project(desk):
    project = await desk.project()
    answer = await desk.upload(desk.stranger, project, desk.png())
    assert (answer.status_code, code(answer)) == (404, "NOT_FOUND")


async def test_a_stranger_sees_a_public_project_and_may_not_change_it(desk):
    project = await desk.project(is_public=True)
    answer = await desk.upload(desk.stranger, project, desk.png())
    assert answer.status_code == 403


async def test_nobody_uploads_without_a_name(desk):
    answer = await desk.client.post(
        "/api/v1/assets/upload", headers=desk.headers(None), files={"file": b"x"}
    )
    assert answer.status_code == 401


async def test_a_member_removed_may_not_upload_any_more(desk):
    project = await desk.project()
    await desk.access(project, version=2, without=desk.editor)
    answer = await desk.upload(desk.editor, project, desk.png())
    assert answer.status_code == 404


async def test_a_key_of_another_project_does_not_reach_this_one(desk):
    project = await desk.project()
    headers = desk.headers(desk.owner, x_auth_scopes="assets:write", x_auth_project=str(uuid4()))
    answer = await desk.client.post(
        "/api/v1/assets/upload",
        headers=headers,
        data={"projectId": str(project)},
        files={"file": ("a.png", desk.png())},
    )
    assert answer.status_code == 404


async def test_an_empty_file_is_refused(desk):
    project = await desk.project()
    answer = await desk.upload(desk.editor, project, b"", "empty.bin")
    assert (answer.status_code, code(answer)) == (400, "VALIDATION_ERROR")
    assert details(answer)[0]["field"] == "file"


HOSTILE = [
    "../../etc/passwd",
    "..\\..\\boot.ini",
    "a/b.png",
    "/etc/passwd",
    "nul\0byte.png",
    "tab\tbed.png",
    "line\nbreak.png",
    "gnp.\u202egpj",
    "\u2066hidden.png",
    "zero\u200bwidth.png",
    " leading.png",
    "trailing.png ",
    "dot.png.",
    ".",
    "..",
    "CON",
    "com1.png",
    "é" * 128,
]


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_name_is_refused(desk, name):
    project = await desk.project()
    answer = await desk.upload(desk.editor, project, desk.png(), "x.png", name=name)
    assert (answer.status_code, code(answer)) == (400, "VALIDATION_ERROR"), answer.text
    assert details(answer)[0]["field"] == "name"
    assert await desk.listed(project) == []


@pytest.mark.parametrize(
    ("name", "stored"),
    [("a\u0308.png", "ä.png"), ("<script>.png", "<script>.png"), ("日本 🎮.png", "日本 🎮.png")],
)
async def test_a_name_of_any_tongue_is_kept_in_composed_form(desk, name, stored):
    project = await desk.project()
    answer = await desk.upload(desk.editor, project, desk.png(), "x.png", name=name)
    assert answer.json()["data"]["name"] == stored


LIES = [
    ("page.png", "image/png", HTML, "image/png"),
    ("page.png", "", HTML, "image/png"),
    ("picture.bin", "image/png", HTML, "image/png"),
    ("picture.png", "image/png", SVG, "image/png"),
    ("picture.html", "", b"GIF89a<script>", "text/html"),
    ("sound.mp3", "audio/mpeg", b"MZ\x90\0", "audio/mpeg"),
    ("sprite.png", "image/png", b"\x7fELF\2\1\1\0", "image/png"),
    ("sprite.png", "image/png", b"PK\3\4archive", "image/png"),
    ("font.woff2", "", b"%PDF-1.7", "font/woff2"),
    ("photo.svg", "image/svg+xml", b"<html><svg></svg></html>", "image/svg+xml"),
]


@pytest.mark.parametrize(("name", "content_type", "content", "claimed"), LIES)
async def test_bytes_that_are_not_what_they_are_called_are_refused(
    desk, name, content_type, content, claimed
):
    project = await desk.project()
    answer = await desk.upload(desk.editor, project, content, name, content_type)
    assert (answer.status_code, code(answer)) == (415, "UNSUPPORTED_MEDIA_TYPE"), answer.text
    assert details(answer)[0]["declared"] == claimed
    assert await desk.listed(project) == []
    assert await desk.events(project) == []


async def test_a_type_that_the_bytes_are_not_is_refused(desk):
    project = await desk.project()
    answer = await desk.upload(desk.editor, project, desk.png(), type="audio")
    assert answer.status_code == 415
    filed = await desk.upload(desk.editor, project, desk.png(), type="data")
    assert filed.json()["data"]["type"] == "data"
    assert filed.json()["data"]["mimeType"] == "image/png"


async def test_a_type_that_is_none_is_refused(desk):
    project = await desk.project()
    answer = await desk.upload(desk.editor, project, desk.png(), type="picture")
    assert (answer.status_code, details(answer)[0]["field"]) == (400, "type")


async def test_a_picture_of_too_many_pixels_is_refused_undecoded(desk):
    project = await desk.project()
    answer = await desk.upload(desk.editor, project, desk.png(50_000, 50_000))
    assert (answer.status_code, code(answer)) == (400, "IMAGE_TOO_LARGE")
    assert details(answer)[0]["limit"] == 1_000_000


async def test_a_picture_with_half_a_header_is_refused(desk):
    project = await desk.project()
    answer = await desk.upload(desk.editor, project, desk.png()[:18])
    assert answer.status_code == 415


async def test_a_file_over_the_limit_is_refused_and_nothing_is_left(serving, desk):
    project = await desk.project()
    async with serving(ASSET_BYTES_MAX="100000", SPOOL_BYTES_MAX="4096") as client:
        desk.client = client
        refused = await desk.upload(desk.editor, project, b"x" * 100_001, "big.bin")
        assert (refused.status_code, code(refused)) == (413, "PAYLOAD_TOO_LARGE")
        assert details(refused)[0]["limit"] == 100_000
        assert await desk.listed(project) == []
        much = await desk.upload(desk.editor, project, b"x" * 300_000, "big.bin")
        assert (much.status_code, code(much)) == (413, "PAYLOAD_TOO_LARGE")
        assert details(much)[0]["limit"] > 100_000
        taken = await desk.upload(desk.editor, project, b"x" * 100_000, "big.bin")
        assert taken.status_code == 201
        assert taken.json()["data"]["sha256"] == desk.sha256(b"x" * 100_000)


async def test_a_field_may_not_be_a_file(desk):
    project = await desk.project()
    answer = await desk.upload(desk.editor, project, desk.png(), name="x" * 5_000)
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("multipart/form-data; boundary=b", b"--b\r\nnonsense", 400),
        ("multipart/form-data; boundary=b", b"", 400),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\ncut',
            400,
        ),
        ("multipart/form-data", b"--b--", 415),
        ("application/json", b"{}", 415),
        ("application/x-www-form-urlencoded", b"projectId=1", 415),
    ],
)
async def test_what_is_no_whole_form_is_refused(desk, content_type, body, status):
    headers = desk.headers(desk.owner, content_type=content_type)
    answer = await desk.client.post("/api/v1/assets/upload", headers=headers, content=body)
    assert answer.status_code == status, answer.text


async def test_fields_are_checked(desk):
    project = await desk.project()
    unknown = await desk.upload(desk.editor, project, desk.png(), size="3")
    assert (unknown.status_code, details(unknown)[0]["field"]) == (400, "size")
    nobodys = await desk.upload(desk.editor, "no-uuid", desk.png())
    assert (nobodys.status_code, details(nobodys)[0]["field"]) == (400, "projectId")


async def test_without_the_object_store_nothing_is_visible(serving, desk):
    project = await desk.project()
    usual = desk.client
    async with serving(S3_ENDPOINT_URL="http://127.0.0.1:9") as client:
        desk.client = client
        answer = await desk.upload(desk.editor, project, desk.png())
        assert (answer.status_code, code(answer)) == (503, "UNAVAILABLE")
        assert "retry-after" in answer.headers
        batch = await desk.batch(desk.editor, project, ("a.png", desk.png(), "image/png"))
        assert batch.status_code == 503
        # the library itself is still there
        assert await desk.listed(project) == []
    desk.client = usual
    assert await desk.events(project) == []


async def test_without_the_projects_service_an_unknown_project_is_unavailable(serving, desk):
    async with serving(PROJECTS_URL="http://127.0.0.1:9") as client:
        desk.client = client
        answer = await desk.upload(desk.editor, uuid4(), desk.png())
        assert answer.status_code == 503


async def test_a_batch_answers_for_each_file(desk):
    project = await desk.project()
    await desk.upload(desk.editor, project, desk.png(), "there.png")
    answer = await desk.batch(
        desk.editor,
        project,
        ("a.png", desk.png(filler=b"a"), "image/png"),
        ("lie.png", HTML, "image/png"),
        ("there.png", desk.png(), "image/png"),
        ("there.png", desk.png(filler=b"b"), "image/png"),
        ("x\\y.png", desk.png(), "image/png"),
        ("level.json", b'{"bricks": []}', "application/json"),
    )
    assert answer.status_code == 200, answer.text
    items = answer.json()["data"]
    assert [item["index"] for item in items] == [0, 1, 2, 3, 4, 5]
    assert [item["status"] for item in items] == [201, 415, 200, 409, 400, 201]
    assert [item["name"] for item in items][:2] == ["a.png", "lie.png"]
    assert items[0]["asset"]["name"] == "a.png"
    assert items[0]["error"] is None
    assert items[1]["asset"] is None
    assert items[1]["error"]["code"] == "UNSUPPORTED_MEDIA_TYPE"
    names = {asset["name"] for asset in await desk.listed(project)}
    assert names == {"a.png", "there.png", "level.json"}


async def test_fifty_files_are_a_batch_and_one_more_is_not(desk):
    project = await desk.project()
    files = [(f"{n}.png", desk.png(filler=b"%d" % n), "image/png") for n in range(51)]
    refused = await desk.batch(desk.editor, project, *files)
    assert (refused.status_code, details(refused)[0]["limit"]) == (413, 50)
    answer = await desk.batch(desk.editor, project, *files[:50])
    assert {item["status"] for item in answer.json()["data"]} == {201}
    assert len(await desk.listed(project, "limit=100")) == 50


async def test_a_batch_into_a_foreign_project_is_refused_whole(desk):
    project = await desk.project()
    foreign = await desk.batch(desk.stranger, project, ("a.png", desk.png(), ""))
    weak = await desk.batch(desk.viewer, project, ("a.png", desk.png(), ""))
    assert (foreign.status_code, weak.status_code) == (404, 403)
