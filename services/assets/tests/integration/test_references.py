"""An asset that files of its project name is not deleted by chance."""

import asyncio

import pytest

from common.testing.processes import free_port


async def made(desk, project, name="ball.png", content=None):
    """One asset of the owner's."""
    answer = await desk.upload(desk.owner, project, content or desk.png(), name)
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]


async def test_files_that_name_an_asset_keep_it(desk, projects):
    project = await desk.written(projects)
    asset = await made(desk, project)
    path = f"/api/v1/assets/{asset['id']}"
    other = await desk.version(desk.owner, asset["id"], desk.png(8, 8))
    texts = {
        "by-path.ts": 'const a = 1;\nload("assets/ball.png");\n',
        "by-id.json": f'{{"texture": "{asset["id"]}"}}',
        "by-hash.css": f"\n\n.a {{ background: url(/cdn/{asset['sha256']}/ball.png) }}",
        "by-newer-hash.css": f"/cdn/{other.json()['data']['sha256']}",
        "longer.txt": f"assets/ball.png.bak myassets/ball.png {asset['sha256']}0",
    }
    for name, text in texts.items():
        await desk.write(projects, project, name, text)
    refused = await desk.call("DELETE", path, desk.owner)
    error = refused.json()["error"]
    assert (refused.status_code, error["code"]) == (409, "ASSET_IN_USE")
    assert error["details"] == [
        {
            "references": [
                {"path": "by-hash.css", "line": 3},
                {"path": "by-id.json", "line": 1},
                {"path": "by-newer-hash.css", "line": 1},
                {"path": "by-path.ts", "line": 2},
            ]
        }
    ]
    assert (await desk.call("GET", path, desk.owner)).status_code == 200
    assert len(await desk.events(project)) == 2
    for name in texts:
        await projects.call("DELETE", f"/api/v1/projects/{project}/files/{name}", desk.owner)
    # only what files name now is in use
    assert (await desk.call("DELETE", path, desk.owner)).status_code == 204


async def test_force_deletes_it_anyway(desk, projects):
    project = await desk.written(projects, a="assets/ball.png")
    asset = await made(desk, project)
    path = f"/api/v1/assets/{asset['id']}"
    assert (await desk.call("DELETE", f"{path}?force=false", desk.owner)).status_code == 409
    assert (await desk.call("DELETE", f"{path}?force=x", desk.owner)).status_code == 400
    assert (await desk.call("DELETE", f"{path}?force=true", desk.owner)).status_code == 204


async def test_who_may_not_delete_is_not_told_who_uses_it(desk, projects):
    project = await desk.written(projects, a="assets/ball.png")
    asset = await made(desk, project)
    path = f"/api/v1/assets/{asset['id']}"
    for user, status in ((desk.stranger, 404), (None, 401)):
        answer = await desk.call("DELETE", path, user)
        assert (answer.status_code, answer.json()["error"]["details"]) == (status, [])
    stale = await desk.call("DELETE", path, desk.owner, if_match='"9-x"')
    assert stale.status_code == 412


@pytest.mark.parametrize("name", ["my ball.png", "ä.png", "a+b&c.png", "100%.png"])
async def test_a_name_is_found_as_urls_have_it_too(desk, projects, name):
    project = await desk.written(projects)
    asset = await made(desk, project, name)
    path = f"/api/v1/assets/{asset['id']}"
    for text in (f"assets/{name}", f"url('assets/{asset['url'] and name_in_url(name)}')"):
        await desk.write(projects, project, "a.css", text)
        assert (await desk.call("DELETE", path, desk.owner)).status_code == 409, text
    await desk.write(projects, project, "a.css", f"assets/x{name}")
    assert (await desk.call("DELETE", path, desk.owner)).status_code == 204


def name_in_url(name):
    """A name as it is written into a URL."""
    return {
        "my ball.png": "my%20ball.png",
        "ä.png": "%C3%A4.png",
        "a+b&c.png": "a%2Bb%26c.png",
        "100%.png": "100%25.png",
    }[name]


async def test_of_many_lines_some_are_told(desk, projects):
    project = await desk.written(projects, a="assets/ball.png\n" * 30, b="assets/ball.png")
    asset = await made(desk, project)
    refused = await desk.call("DELETE", f"/api/v1/assets/{asset['id']}", desk.owner)
    [detail] = refused.json()["error"]["details"]
    assert len(detail["references"]) == 20


async def test_an_asset_of_many_versions_is_found_by_its_oldest(desk, projects):
    project = await desk.written(projects)
    asset = await made(desk, project, "n.bin", b"\1 0")
    answers = await asyncio.gather(
        *[
            desk.version(desk.owner, asset["id"], b"\1 %d" % number, "n.bin")
            for number in range(1, 6)
        ]
    )
    assert {a.status_code for a in answers} == {201}
    await desk.write(projects, project, "a", f"see {asset['sha256']}.")
    refused = await desk.call("DELETE", f"/api/v1/assets/{asset['id']}", desk.owner)
    assert refused.status_code == 409


async def test_without_the_projects_service_nothing_is_deleted(desk, projects, serving):
    project = await desk.written(projects, a="nothing")
    asset = await made(desk, project)
    path = f"/api/v1/assets/{asset['id']}"
    async with serving(PROJECTS_URL=f"http://127.0.0.1:{free_port()}") as client:
        desk.client = client
        refused = await desk.call("DELETE", path, desk.owner)
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "UNAVAILABLE")
        assert (await desk.call("GET", path, desk.owner)).status_code == 200
        assert (await desk.call("DELETE", f"{path}?force=true", desk.owner)).status_code == 204


async def test_what_cannot_be_looked_through_in_time_is_not_deleted(desk, projects, serving):
    project = await desk.written(projects, a="nothing")
    asset = await made(desk, project)
    async with serving(REFERENCES_S_MAX="0") as client:
        desk.client = client
        refused = await desk.call("DELETE", f"/api/v1/assets/{asset['id']}", desk.owner)
        assert refused.status_code == 503
