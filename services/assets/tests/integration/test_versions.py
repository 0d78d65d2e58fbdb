"""Versions: an asset's id stays, its bytes change, and what was is not lost."""

import asyncio

import pytest

HTML = b"<!doctype html><script>alert(1)</script>"


def code(answer):
    return answer.json()["error"]["code"]


async def made(desk, project, name="ball.png", **fields):
    """One asset."""
    answer = await desk.upload(desk.editor, project, desk.png(filler=b"1"), name, **fields)
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]


async def versions(desk, asset_id, query=""):
    """What the asset was, the newest first."""
    answer = await desk.call("GET", f"/api/v1/assets/{asset_id}/versions?{query}", desk.viewer)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_other_bytes_are_a_new_version_of_the_same_asset(desk):
    project = await desk.project()
    first = await made(desk, project)
    path = f"/api/v1/assets/{first['id']}"
    other = desk.png(9, 9)
    answer = await desk.version(desk.owner, first["id"], other)
    assert answer.status_code == 201, answer.text
    second = answer.json()["data"]
    assert answer.headers["location"] == f"{path}?v=2"
    assert second.pop("unchanged") is False
    assert second == first | {
        "version": 2,
        "size": len(other),
        "sha256": desk.sha256(other),
        "metadata": {"width": 9, "height": 9, "frames": 1, "hasAlpha": False},
        "updatedAt": second["updatedAt"],
    }
    shown = await desk.call("GET", path, desk.viewer)
    assert shown.json()["data"] == second
    assert shown.headers["etag"] == answer.headers["etag"]
    [asset] = await desk.listed(project)
    assert asset == second
    past = (await desk.call("GET", f"{path}?v=1", desk.viewer)).json()["data"]
    assert (past["version"], past["sha256"]) == (1, first["sha256"])
    assert past["url"] == f"http://localhost:8080{path}/download?v=1"
    for query, content in (("", other), ("?v=1", desk.png(filler=b"1")), ("?v=2", other)):
        redirect = await desk.call("GET", f"{path}/download{query}", desk.viewer)
        target = redirect.headers["location"].removeprefix("http://localhost:8080")
        assert (await desk.call("GET", target, None)).content == content
    listed = await versions(desk, first["id"])
    assert [(v["version"], v["origin"], v["userId"]) for v in listed["data"]] == [
        (2, "upload", str(desk.owner)),
        (1, "upload", str(desk.editor)),
    ]
    assert (await versions(desk, first["id"], "limit=1&page=2"))["data"][0]["version"] == 1
    [_, (subject, event)] = await desk.events(project)
    assert subject == "assets.asset.version_added.v1"
    assert (event["version"], event["sha256"]) == (2, desk.sha256(other))
    assert (event["origin"], event["mimeType"], event["size"]) == (
        "upload",
        "image/png",
        len(other),
    )


async def test_the_same_bytes_again_are_no_new_version(desk):
    project = await desk.project()
    asset = await made(desk, project)
    etag = (await desk.call("GET", f"/api/v1/assets/{asset['id']}", desk.owner)).headers["etag"]
    other = desk.png(filler=b"2")
    for status, unchanged in ((201, False), (200, True)):
        # a retry of what came through, with the precondition that it had
        answer = await desk.version(desk.editor, asset["id"], other, if_match=etag)
        assert (answer.status_code, answer.json()["data"]["unchanged"]) == (status, unchanged)
        assert answer.json()["data"]["version"] == 2
    assert len(await desk.events(project)) == 2


async def test_an_old_version_comes_back_as_a_new_one(desk):
    project = await desk.project()
    asset = await made(desk, project)
    path = f"/api/v1/assets/{asset['id']}"
    await desk.version(desk.editor, asset["id"], desk.png(8, 8))
    answer = await desk.call("POST", f"{path}/rollback", desk.owner, json={"version": 1})
    assert answer.status_code == 200, answer.text
    back = answer.json()["data"]
    for member in ("id", "name", "sha256", "size", "metadata", "mimeType"):
        assert back[member] == asset[member]
    assert back["version"] == 3
    origins = [v["origin"] for v in (await versions(desk, asset["id"]))["data"]]
    assert origins == ["rollback", "upload", "upload"]
    subject, event = (await desk.events(project))[-1]
    assert (subject, event["origin"], event["version"]) == (
        "assets.asset.version_added.v1",
        "rollback",
        3,
    )
    same = await desk.call("POST", f"{path}/rollback", desk.owner, json={"version": 3})
    assert same.json()["data"] == back
    stale = await desk.call(
        "POST", f"{path}/rollback", desk.owner, json={"version": 2}, if_match='"1-old"'
    )
    assert (stale.status_code, stale.headers["etag"]) == (412, answer.headers["etag"])
    for version, status in ((4, 404), (0, 400), ("x", 400), (2**70, 400)):
        wrong = await desk.call("POST", f"{path}/rollback", desk.owner, json={"version": version})
        assert wrong.status_code == status, version
    assert len(await desk.events(project)) == 3


async def test_a_rollback_is_repeated_with_a_key(desk):
    project = await desk.project()
    asset = await made(desk, project)
    path = f"/api/v1/assets/{asset['id']}/rollback"
    await desk.version(desk.editor, asset["id"], desk.png(8, 8))
    for _ in range(2):
        answer = await desk.call(
            "POST", path, desk.owner, json={"version": 1}, idempotency_key=asset["id"]
        )
        assert answer.json()["data"]["version"] == 3


async def test_a_picture_is_not_made_a_sound(desk):
    project = await desk.project()
    asset = await made(desk, project)
    for content, status in (
        (b"ID3\4" + b"\0" * 64, 415),
        (HTML, 415),
        (b'{"a": 1}', 415),
        (b"", 400),
        (desk.png(50_000, 50_000), 400),
    ):
        answer = await desk.version(desk.editor, asset["id"], content)
        assert answer.status_code == status, (content[:9], answer.text)
    data = await made(desk, project, "any.png", type="data")
    assert (await desk.version(desk.editor, data["id"], desk.png(8, 8))).status_code == 201
    shown = (await desk.call("GET", f"/api/v1/assets/{data['id']}", desk.owner)).json()["data"]
    assert (shown["type"], shown["version"]) == ("data", 2)
    assert len((await versions(desk, asset["id"]))["data"]) == 1


async def test_who_may_not_write_makes_no_version(desk):
    project = await desk.project(is_public=True)
    asset = await made(desk, project)
    path = f"/api/v1/assets/{asset['id']}"
    for user, status in ((desk.viewer, 403), (desk.commenter, 403), (desk.stranger, 403)):
        assert (await desk.version(user, asset["id"], desk.png(8, 8))).status_code == status
        answer = await desk.call("POST", f"{path}/rollback", user, json={"version": 1})
        assert answer.status_code == status
    await desk.access(project, version=2)
    assert (await desk.version(desk.stranger, asset["id"], desk.png(8, 8))).status_code == 404
    for route in (f"{path}/versions", f"{path}?v=1", f"{path}/download?v=1"):
        assert (await desk.call("GET", route, desk.stranger)).status_code == 404
        assert (await desk.call("GET", route, None)).status_code == 404
    key = {"x_auth_scopes": "assets:read", "x_auth_project": str(desk.owner)}
    assert (await desk.call("GET", f"{path}/versions", desk.owner, **key)).status_code == 404


@pytest.mark.parametrize("query", ["v=0", "v=-1", "v=x", "v=99999999999999999999"])
async def test_a_version_is_a_number(desk, query):
    project = await desk.project()
    asset = await made(desk, project)
    for path in (f"/api/v1/assets/{asset['id']}", f"/api/v1/assets/{asset['id']}/download"):
        assert (await desk.call("GET", f"{path}?{query}", desk.owner)).status_code == 400
        assert (await desk.call("GET", f"{path}?v=2", desk.owner)).status_code == 404


async def test_a_stale_precondition_makes_no_version(desk):
    project = await desk.project()
    asset = await made(desk, project)
    path = f"/api/v1/assets/{asset['id']}"
    etag = (await desk.call("GET", path, desk.owner)).headers["etag"]
    renamed = await desk.call("PATCH", path, desk.owner, json={"name": "b.png"})
    answer = await desk.version(desk.editor, asset["id"], desk.png(8, 8), if_match=etag)
    assert (answer.status_code, code(answer)) == (412, "PRECONDITION_FAILED")
    assert answer.headers["etag"] == renamed.headers["etag"]
    answer = await desk.version(
        desk.editor, asset["id"], desk.png(8, 8), if_match=renamed.headers["etag"]
    )
    assert (answer.status_code, answer.json()["data"]["name"]) == (201, "b.png")


async def test_many_at_once_are_versions_of_their_own(desk):
    project = await desk.project()
    asset = await made(desk, project)
    path = f"/api/v1/assets/{asset['id']}"
    etag = (await desk.call("GET", path, desk.owner)).headers["etag"]
    contents = [desk.png(filler=b"at once %d" % n) for n in range(6)]
    answers = await asyncio.gather(
        *[desk.version(desk.editor, asset["id"], content) for content in contents]
    )
    assert [a.status_code for a in answers] == [201] * 6
    assert sorted(a.json()["data"]["version"] for a in answers) == [2, 3, 4, 5, 6, 7]
    listed = (await versions(desk, asset["id"]))["data"]
    assert [v["version"] for v in listed] == [7, 6, 5, 4, 3, 2, 1]
    assert {v["sha256"] for v in listed[:-1]} == {desk.sha256(content) for content in contents}
    told = [event["version"] for _, event in (await desk.events(project))[1:]]
    assert told == [2, 3, 4, 5, 6, 7]
    # of those that saw the same, one comes through
    etag = (await desk.call("GET", path, desk.owner)).headers["etag"]
    contents = [desk.png(filler=b"seen %d" % n) for n in range(6)]
    answers = await asyncio.gather(
        *[desk.version(desk.editor, asset["id"], content, if_match=etag) for content in contents]
    )
    assert sorted(a.status_code for a in answers) == [201] + [412] * 5


async def test_every_version_of_a_public_asset_has_its_address(desk):
    project = await desk.project(is_public=True)
    asset = await made(desk, project)
    await desk.version(desk.editor, asset["id"], desk.png(8, 8))
    for version in (await versions(desk, asset["id"]))["data"]:
        got = await desk.client.get(version["url"].removeprefix("http://localhost:8080"))
        assert (got.status_code, desk.sha256(got.content)) == (200, version["sha256"])
