"""The library: listing, renaming, deleting, downloading."""

from urllib.parse import parse_qs, urlsplit

import pytest


async def made(desk, project, *names):
    """Upload one picture for each name."""
    found = []
    for name in names:
        answer = await desk.upload(desk.editor, project, desk.png(filler=name.encode()), name)
        found.append(answer.json()["data"])
    return found


async def test_a_list_is_paged_sorted_and_searched(desk):
    project = await desk.project()
    await made(desk, project, "b.png", "A.png", "c.png")
    await desk.upload(desk.editor, project, b'{"a": 1}', "100%_sure.json")
    path = f"/api/v1/projects/{project}/assets"
    answer = await desk.call("GET", f"{path}?sort=name&limit=2", desk.viewer)
    assert [a["name"] for a in answer.json()["data"]] == ["100%_sure.json", "A.png"]
    meta = answer.json()["meta"]
    assert (meta["total"], meta["pages"], meta["hasNext"], meta["hasPrev"]) == (4, 2, True, False)
    assert 'rel="next"' in answer.headers["link"]
    names = {a["name"] for a in await desk.listed(project, "type=image")}
    assert names == {"A.png", "b.png", "c.png"}
    assert [a["name"] for a in await desk.listed(project, "q=a.P")] == ["A.png"]
    assert [a["name"] for a in await desk.listed(project, "q=%25_")] == ["100%_sure.json"]
    assert await desk.listed(project, "q=%25x") == []
    beyond = await desk.call("GET", f"{path}?page=9", desk.viewer)
    assert (beyond.json()["data"], beyond.json()["meta"]["total"]) == ([], 4)


@pytest.mark.parametrize("query", ["sort=sha256", "type=picture", "page=0", "limit=x"])
async def test_a_list_cannot_be_asked_for_just_anything(desk, query):
    project = await desk.project()
    answer = await desk.call("GET", f"/api/v1/projects/{project}/assets?{query}", desk.owner)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_ERROR")


async def test_who_may_see_what(desk):
    project = await desk.project()
    [asset] = await made(desk, project, "a.png")
    paths = [
        f"/api/v1/projects/{project}/assets",
        f"/api/v1/assets/{asset['id']}",
        f"/api/v1/assets/{asset['id']}/download",
    ]
    for path in paths:
        for user in (desk.owner, desk.viewer):
            assert (await desk.call("GET", path, user)).status_code in {200, 302}
        for user in (desk.stranger, None):
            answer = await desk.call("GET", path, user)
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")
    await desk.access(project, version=2, is_public=True)
    for path in paths:
        assert (await desk.call("GET", path, None)).status_code in {200, 302}
    await desk.access(project, version=3, is_public=True, is_deleted=True)
    for path in paths:
        assert (await desk.call("GET", path, desk.owner)).status_code == 404


async def test_an_asset_is_renamed_and_announced(desk):
    project = await desk.project()
    [asset] = await made(desk, project, "a.png")
    path = f"/api/v1/assets/{asset['id']}"
    answer = await desk.call("PATCH", path, desk.editor, json={"name": "Ball.png"})
    assert answer.status_code == 200, answer.text
    renamed = answer.json()["data"]
    assert renamed["name"] == "Ball.png"
    assert {k: v for k, v in renamed.items() if k not in {"name", "updatedAt"}} == {
        k: v for k, v in asset.items() if k not in {"name", "updatedAt"}
    }
    same = await desk.call("PATCH", path, desk.editor, json={"name": "Ball.png"})
    assert same.json()["data"] == renamed
    again = await desk.call("PATCH", path, desk.editor, json={"name": "ball.png"})
    assert again.status_code == 200
    subjects = [subject for subject, _ in await desk.events(project)]
    assert subjects == ["assets.asset.created.v1"] + ["assets.asset.updated.v1"] * 2


async def test_a_rename_has_its_limits(desk):
    project = await desk.project()
    [asset, _] = await made(desk, project, "a.png", "b.png")
    path = f"/api/v1/assets/{asset['id']}"

    async def status(user, **json):
        answer = await desk.call("PATCH", path, user, json=json)
        return answer.status_code

    assert await status(desk.editor, name="B.png") == 409
    assert await status(desk.editor, name="../x") == 400
    assert await status(desk.editor, type="audio") == 400
    assert await status(desk.editor, id="x") == 400
    assert await status(desk.viewer, name="c.png") == 403
    assert await status(desk.stranger, name="c.png") == 404
    assert await status(desk.editor, type="data") == 200
    assert await status(desk.editor, type="image") == 200


async def test_a_stale_precondition_fails_and_says_what_is_there(desk):
    project = await desk.project()
    [asset] = await made(desk, project, "a.png")
    path = f"/api/v1/assets/{asset['id']}"
    etag = (await desk.call("GET", path, desk.owner)).headers["etag"]
    cached = await desk.call("GET", path, desk.owner, if_none_match=etag)
    assert (cached.status_code, cached.content) == (304, b"")
    first = await desk.call("PATCH", path, desk.owner, json={"name": "b.png"}, if_match=etag)
    assert first.status_code == 200
    assert first.headers["etag"] != etag
    stale = await desk.call("PATCH", path, desk.owner, json={"name": "c.png"}, if_match=etag)
    assert (stale.status_code, stale.json()["error"]["code"]) == (412, "PRECONDITION_FAILED")
    assert stale.headers["etag"] == first.headers["etag"]
    retried = await desk.call("PATCH", path, desk.owner, json={"name": "b.png"}, if_match=etag)
    assert retried.status_code == 200
    assert (await desk.call("DELETE", path, desk.owner, if_match=etag)).status_code == 412


async def test_a_deleted_asset_is_gone_and_its_name_is_free(desk):
    project = await desk.project()
    [asset] = await made(desk, project, "a.png")
    path = f"/api/v1/assets/{asset['id']}"
    assert (await desk.call("DELETE", path, desk.viewer)).status_code == 403
    assert (await desk.call("DELETE", path, desk.stranger)).status_code == 404
    gone = await desk.call("DELETE", path, desk.editor)
    assert (gone.status_code, gone.content) == (204, b"")
    assert (await desk.call("GET", path, desk.owner)).status_code == 404
    assert (await desk.call("DELETE", path, desk.editor)).status_code == 404
    subject, event = (await desk.events(project))[-1]
    assert (subject, event["name"]) == ("assets.asset.deleted.v1", "a.png")
    answer = await desk.upload(desk.editor, project, desk.png(filler=b"new"), "a.png")
    assert answer.status_code == 201


async def test_a_download_saves_the_file_under_its_name(desk):
    project = await desk.project()
    content = desk.png(filler=b"mine")
    name = 'Kugel "ä".png'
    answer = await desk.upload(desk.editor, project, content, "x.png", name=name)
    asset = answer.json()["data"]
    redirect = await desk.call("GET", f"/api/v1/assets/{asset['id']}/download", desk.viewer)
    assert redirect.status_code == 302
    assert "no-store" in redirect.headers["cache-control"]
    url = redirect.headers["location"]
    assert url.startswith(f"http://localhost:8080/cdn/{asset['sha256']}/Kugel%20%22%C3%A4%22.png?")
    got = await desk.call("GET", url.removeprefix("http://localhost:8080"), None)
    assert (got.status_code, got.content) == (200, content)
    assert got.headers["content-type"] == "image/png"
    assert got.headers["content-disposition"].startswith("attachment;")
    assert "filename*=UTF-8''Kugel%20%22%C3%A4%22.png" in got.headers["content-disposition"]


async def test_the_fleet_gets_every_asset_from_the_stores_own_address(desk, store):
    project = await desk.project()
    found = await made(desk, project, "b.png", "a.png")
    path = f"/internal/projects/{project}/assets"
    answer = await desk.call("GET", path, None)
    assets = answer.json()["assets"]
    assert [a["name"] for a in assets] == ["a.png", "b.png"]
    assert set(assets[0]) == {"id", "name", "sha256", "size", "mimeType", "url"}
    assert assets[1]["id"] == found[0]["id"]
    assert parse_qs(urlsplit(assets[0]["url"]).query)["X-Amz-SignedHeaders"] == ["host"]
    got = await store("GET", assets[0]["url"])
    assert desk.sha256(got.content) == assets[0]["sha256"]
    unasked = await desk.client.get(path)
    assert unasked.status_code == 401
