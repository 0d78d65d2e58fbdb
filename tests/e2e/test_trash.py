"""What was thrown away is gone for everybody, and comes back for everybody."""

from tests.e2e.answers import failed, ok, put
from tests.e2e.test_revocation import _asset, _build


async def test_a_project_comes_back_out_of_the_trash_everywhere(person, until) -> None:
    owner, viewer, stranger = await person(), await person(), await person()
    project = await owner.project()
    url = f"/api/v1/projects/{project}"
    member = {"login": viewer.username, "role": "viewer"}
    assert (await owner.client.post(f"{url}/collaborators", json=member)).status_code == 201
    assert (await owner.client.put(f"{url}/files/a.txt", json={"content": "1"})).status_code == 201
    before = (await owner.client.get(url)).json()["data"]
    places = (url, f"{url}/files/a.txt", f"{url}/assets", f"{url}/builds")

    async def are(status: int) -> bool:
        found = [(await viewer.client.get(place)).status_code for place in places]
        return found == [status] * len(places)

    await until(lambda: are(200))
    assert (await owner.client.delete(url)).status_code == 204
    await until(lambda: are(404))
    trashed = await owner.client.get("/api/v1/projects", params={"scope": "trashed"})
    assert [each["id"] for each in trashed.json()["data"]] == [project]
    for other in (viewer, stranger):
        refused = await other.client.post(f"{url}/restore")
        assert (refused.status_code, refused.json()["error"]["code"]) == (404, "NOT_FOUND")
    back = await owner.client.post(f"{url}/restore")
    assert (back.status_code, back.json()["data"]) == (200, before)
    await until(lambda: are(200))
    assert (await viewer.client.post(f"{url}/restore")).status_code == 403
    assert (await stranger.client.get(url)).status_code == 404


async def test_what_is_purged_is_gone_for_good_everywhere(person, gateway, until) -> None:
    owner, viewer = await person(), await person()
    project = await owner.project(isPublic=True)
    url = f"/api/v1/projects/{project}"
    member = {"login": viewer.username, "role": "viewer"}
    ok(await owner.client.post(f"{url}/collaborators", json=member), 201)
    await put(owner.client, project, "index.html", "<p>")
    named = ok(await owner.client.post(f"{url}/checkpoints", json={"name": "one"}), 201)
    link = ok(await owner.client.post(f"{url}/share-links", json={}), 201)["url"]
    asset = f"/api/v1/assets/{await _asset(owner, project)}"
    build = f"/api/v1/builds/{await _build(owner, project)}"
    parts = (
        "/files/index.html",
        "/tree",
        "/tree?at=1",
        "/history",
        "/export",
        "/assets",
        "/builds",
    )
    places = (url, *(f"{url}{part}" for part in parts), asset, build)

    async def are(status: int) -> bool:
        clients = (owner.client, viewer.client)
        found = {(await each.get(place)).status_code for each in clients for place in places}
        return found == {status}

    await until(lambda: are(200))
    refused = await viewer.client.delete(url, params={"purge": True})
    assert failed(refused) == (403, "FORBIDDEN")
    assert (await owner.client.delete(url)).status_code == 204
    await until(lambda: are(404))
    assert (await owner.client.delete(url, params={"purge": True})).status_code == 204
    assert await are(404)
    own = (f"{url}/usage", f"{url}/collaborators", f"{url}/checkpoints/{named['id']}", link)
    for place in own:
        assert failed(await owner.client.get(place)) == (404, "NOT_FOUND"), place
    assert failed(await gateway.get(link)) == (404, "NOT_FOUND")
    for last in (
        await owner.client.post(f"{url}/restore"),
        await owner.client.post(f"{url}/checkpoints/{named['id']}/restore"),
        await owner.client.delete(url),
        await owner.client.delete(url, params={"purge": True}),
        await owner.client.put(f"{url}/files/a", json={"content": ""}),
        await owner.client.post("/api/v1/builds", json={"projectId": project, "target": "web"}),
    ):
        assert failed(last) == (404, "NOT_FOUND"), last.request
    for scope in ("owned", "trashed", "public"):
        listed = ok(
            await owner.client.get("/api/v1/projects", params={"scope": scope, "limit": 100})
        )
        assert project not in [each["id"] for each in listed]


async def test_what_is_purged_at_once_does_not_pass_through_the_trash(person, until) -> None:
    owner = await person()
    project = await owner.project()
    url = f"/api/v1/projects/{project}"
    build = f"/api/v1/builds/{await _build(owner, project)}"
    assert (await owner.client.delete(url, params={"purge": True})).status_code == 204
    assert ok(await owner.client.get("/api/v1/projects", params={"scope": "trashed"})) == []

    async def is_gone() -> bool:
        places = (f"{url}/assets", f"{url}/builds", build)
        return {(await owner.client.get(place)).status_code for place in places} == {404}

    await until(is_gone)
