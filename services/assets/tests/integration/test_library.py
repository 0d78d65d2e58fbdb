"""The library: listing, renaming, deleting, downloading."""

import asyncio
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


async def test_a_deleted_asset_comes_back_as_it_was(desk):
    project = await desk.project(is_public=True)
    [asset] = await made(desk, project, "a.png")
    path = f"/api/v1/assets/{asset['id']}"
    await desk.version(desk.owner, asset["id"], desk.png(8, 8))
    address = asset["url"].removeprefix("http://localhost:8080")
    assert (await desk.client.get(address)).status_code == 200
    before = (await desk.call("GET", path, desk.owner)).json()["data"]
    assert (await desk.call("DELETE", path, desk.editor)).status_code == 204
    for route in (path, f"{path}?v=1", f"{path}/versions", f"{path}/download?v=1"):
        assert (await desk.call("GET", route, desk.owner)).status_code == 404
    assert await desk.listed(project) == []
    supplies = await desk.call("GET", f"/internal/projects/{project}/assets", None)
    assert supplies.json()["assets"] == []
    gone = await desk.client.get(address)
    assert (gone.status_code, gone.json()["error"]["code"]) == (410, "GONE")
    for user, status in ((desk.viewer, 403), (desk.stranger, 403), (None, 401)):
        assert (await desk.call("POST", f"{path}/restore", user)).status_code == status
    for _ in range(2):
        back = await desk.call("POST", f"{path}/restore", desk.editor)
        assert back.status_code == 200, back.text
        data = back.json()["data"]
        assert data == before | {"updatedAt": data["updatedAt"]}
    assert (await desk.client.get(address)).status_code == 200
    subjects = [subject for subject, _ in await desk.events(project)]
    assert subjects[-2:] == ["assets.asset.deleted.v1", "assets.asset.restored.v1"]


async def test_a_name_that_is_taken_meanwhile_keeps_an_asset_out(desk):
    project = await desk.project()
    [asset] = await made(desk, project, "a.png")
    path = f"/api/v1/assets/{asset['id']}"
    await desk.call("DELETE", path, desk.editor)
    other = await desk.upload(desk.editor, project, desk.png(8, 8), "A.png")
    refused = await desk.call("POST", f"{path}/restore", desk.editor)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "CONFLICT")
    await desk.call("DELETE", f"/api/v1/assets/{other.json()['data']['id']}", desk.editor)
    assert (await desk.call("POST", f"{path}/restore", desk.editor)).status_code == 200
    nobody = await desk.call("POST", f"/api/v1/assets/{project}/restore", desk.editor)
    assert nobody.status_code == 404
    await desk.call("DELETE", path, desk.editor)
    assert (await desk.call("POST", f"{path}/restore", desk.stranger)).status_code == 404


async def test_of_many_that_bring_an_asset_back_one_announces_it(desk):
    project = await desk.project()
    [asset] = await made(desk, project, "a.png")
    path = f"/api/v1/assets/{asset['id']}"
    await desk.call("DELETE", path, desk.editor)
    answers = await asyncio.gather(
        *[desk.call("POST", f"{path}/restore", desk.editor) for _ in range(8)]
    )
    assert {a.status_code for a in answers} == {200}
    assert len(await desk.events(project)) == 3


async def test_only_what_the_project_lacks_is_to_be_sent(desk):
    project, other = await desk.project(), await desk.project()
    contents = {name: desk.png(filler=name.encode()) for name in ("a.png", "b.png", "c.png")}
    for name, content in contents.items():
        await desk.upload(desk.editor, project, content, name)
    foreign = desk.png(filler=b"foreign")
    await desk.upload(desk.editor, other, foreign, "foreign.png")
    [gone] = await made(desk, project, "gone.png")
    await desk.call("DELETE", f"/api/v1/assets/{gone['id']}", desk.editor)
    [old] = await made(desk, project, "old.png")
    await desk.version(desk.editor, old["id"], desk.png(8, 8))
    known = [desk.sha256(content) for content in contents.values()] + [old["sha256"]]
    lacking = [desk.sha256(foreign), gone["sha256"]]
    lacking += [desk.sha256(b"%d" % n) for n in range(1000 - len(known) - len(lacking))]
    asked = {"projectId": str(project), "sha256": [*lacking[:500], *known, *lacking[500:]]}
    path = "/api/v1/assets/negotiate"
    answer = await desk.call("POST", path, desk.editor, json=asked)
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"] == {"missing": lacking}
    none = await desk.call("POST", path, desk.editor, json=asked | {"sha256": []})
    assert none.json()["data"] == {"missing": []}
    twice = await desk.call("POST", path, desk.editor, json=asked | {"sha256": lacking[:1] * 2})
    assert twice.json()["data"] == {"missing": lacking[:1]}
    for wrong in ([*asked["sha256"], lacking[0]], ["x" * 64], [lacking[0].upper()], ["\0"]):
        refused = await desk.call("POST", path, desk.editor, json=asked | {"sha256": wrong})
        assert refused.status_code == 400
    for user, status in ((desk.viewer, 403), (desk.stranger, 404), (None, 401)):
        assert (await desk.call("POST", path, user, json=asked)).status_code == status


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


async def test_the_fleet_gets_bytes_by_their_hash_whatever_became_of_their_asset(desk, store):
    project = await desk.project()
    (asset,) = await made(desk, project, "a.png")
    path = f"/internal/projects/{project}/assets/{asset['sha256']}"
    await desk.call("DELETE", f"/api/v1/assets/{asset['id']}", desk.owner)
    answer = await desk.call("GET", path, None)
    assert answer.status_code == 200, answer.text
    got = await store("GET", answer.json()["url"])
    assert desk.sha256(got.content) == asset["sha256"]
    for unknown in (f"{path[:-64]}{'0' * 64}", f"{path[:-64]}x"):
        assert (await desk.call("GET", unknown, None)).status_code == 404
    other = await desk.project()
    assert (await desk.call("GET", path.replace(str(project), str(other)), None)).status_code == 404
    assert (await desk.client.get(path)).status_code == 401
