"""Roles hold everywhere, and a member who is removed is out."""

import httpx


def _code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


async def _add(owner, project: str, who, role: str) -> None:
    body = {"login": who.username, "role": role}
    answer = await owner.client.post(f"/api/v1/projects/{project}/collaborators", json=body)
    assert answer.status_code == 201, answer.text


async def test_roles_hold_in_every_service(person, until) -> None:
    owner, viewer, stranger = await person(), await person(), await person()
    project = await owner.project()
    file = f"/api/v1/projects/{project}/files/src/main.ts"
    assert (await owner.client.put(file, json={"content": "1"})).status_code == 201
    await _add(owner, project, viewer, "viewer")
    build = {"projectId": project, "target": "web"}

    async def is_in() -> bool:
        places = [f"/api/v1/projects/{project}/{what}" for what in ("assets", "builds")]
        return all([(await viewer.client.get(place)).status_code == 200 for place in places])

    # the others hear of it a moment later
    await until(is_in)
    assert (await viewer.client.get(file)).status_code == 200
    assert _code(await viewer.client.put(file, json={"content": "2"})) == (403, "FORBIDDEN")
    assert _code(await viewer.client.delete(f"/api/v1/projects/{project}")) == (403, "FORBIDDEN")
    assert _code(await viewer.client.post("/api/v1/builds", json=build)) == (403, "FORBIDDEN")
    upload = {"projectId": project, "name": "a.png", "size": 3, "contentType": "image/png"}
    answer = await viewer.client.post("/api/v1/assets/uploads", json=upload)
    assert _code(answer) == (403, "FORBIDDEN")

    assert _code(await stranger.client.get(file)) == (404, "NOT_FOUND")
    assert _code(await stranger.client.get(f"/api/v1/projects/{project}")) == (404, "NOT_FOUND")
    assert _code(await stranger.client.post("/api/v1/builds", json=build)) == (404, "NOT_FOUND")
    answer = await stranger.client.post("/api/v1/assets/uploads", json=upload)
    assert _code(answer) == (404, "NOT_FOUND")
    answer = await stranger.client.get(f"/api/v1/projects/{project}/assets")
    assert _code(answer) == (404, "NOT_FOUND")


async def test_who_is_removed_is_out_everywhere(person, until) -> None:
    owner, editor = await person(), await person()
    project = await owner.project()
    await _add(owner, project, editor, "editor")
    urls = [
        f"/api/v1/projects/{project}",
        f"/api/v1/projects/{project}/assets",
        f"/api/v1/projects/{project}/builds",
    ]

    async def is_in() -> bool:
        return all([(await editor.client.get(url)).status_code == 200 for url in urls])

    await until(is_in)
    path = f"/api/v1/projects/{project}/collaborators/{editor.user_id}"
    assert (await owner.client.delete(path)).status_code == 204

    async def is_out() -> bool:
        return [(await editor.client.get(url)).status_code for url in urls] == [404, 404, 404]

    assert await until(is_out)


async def test_the_last_owner_stays(person) -> None:
    owner = await person()
    project = await owner.project()
    path = f"/api/v1/projects/{project}/collaborators/{owner.user_id}"
    assert _code(await owner.client.delete(path)) == (409, "LAST_OWNER")


async def test_a_public_project_is_read_by_everybody(person, gateway) -> None:
    owner = await person()
    project = await owner.project(isPublic=True)
    url = f"/api/v1/projects/{project}"
    assert (await gateway.get(url)).json()["data"]["role"] == "viewer"
    assert (await gateway.put(f"{url}/files/x", json={"content": ""})).status_code == 401
