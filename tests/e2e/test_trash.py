"""What was thrown away is gone for everybody, and comes back for everybody."""


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
