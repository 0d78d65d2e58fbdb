"""Projects through HTTP: made, shown, listed, changed, thrown away."""

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from services.projects.tests.desk import Desk

from common.ids import uuid7

PROJECTS = "/api/v1/projects"


async def test_the_life_of_a_project(desk: Desk) -> None:
    made = await desk.call("POST", PROJECTS, sends={"name": "Pong", "settings": {"fps": 60}})
    data = made.json()["data"]
    path = f"{PROJECTS}/{data['id']}"
    assert (made.status_code, made.headers["location"]) == (201, path)
    assert (data["userId"], data["role"], data["isPublic"]) == (str(desk.owner), "owner", False)
    assert data["forkedFrom"] is data["thumbnailUrl"] is None
    assert UUID(data["id"]).version == 7
    assert datetime.fromisoformat(data["createdAt"]).utcoffset() is not None
    assert data["createdAt"].endswith("Z")
    assert (await desk.call("GET", path)).json()["data"] == data

    merged = await desk.call("PATCH", path, sends={"name": "Pung", "settings": {"scale": 2}})
    assert merged.json()["data"]["settings"] == {"fps": 60, "scale": 2}
    assert (merged.json()["data"]["name"], merged.status_code) == ("Pung", 200)
    replaced = await desk.call("PUT", path, sends={"name": "Ping", "settings": {"scale": 1}})
    assert replaced.json()["data"]["settings"] == {"scale": 1}

    gone = await desk.call("DELETE", path)
    assert (gone.status_code, gone.content) == (204, b"")
    assert (await desk.call("GET", path)).status_code == 404
    assert (await desk.call("PATCH", path, sends={"name": "X"})).status_code == 404
    assert (await desk.call("DELETE", path)).status_code == 404
    trashed = await desk.call("GET", f"{PROJECTS}?scope=trashed")
    assert [p["id"] for p in trashed.json()["data"]] == [data["id"]]
    assert await desk.subjects(path) == [
        "project.created",
        "access.changed",
        "project.updated",
        "project.updated",
        "project.deleted",
        "access.changed",
    ]


async def test_what_was_thrown_away_comes_back_as_it_was(desk: Desk) -> None:
    path = await desk.staffed(settings={"fps": 60})
    await desk.put(path, "a.txt", "kept")
    before = (await desk.call("GET", path)).json()["data"]
    assert (await desk.call("DELETE", path)).status_code == 204
    assert await desk.text(path, "a.txt") is None
    for other in (desk.editor, desk.viewer, desk.stranger):
        assert (await desk.call("POST", f"{path}/restore", other)).status_code == 404
    back = await desk.call("POST", f"{path}/restore")
    assert (back.status_code, back.json()["data"]) == (200, before)
    assert (await desk.call("GET", path, desk.viewer)).json()["data"]["role"] == "viewer"
    assert await desk.text(path, "a.txt") == "kept"
    assert (await desk.call("GET", f"{PROJECTS}?scope=trashed")).json()["data"] == []
    told = await desk.subjects(path)
    assert told[-4:] == ["project.deleted", "access.changed", "project.restored", "access.changed"]
    access = (await desk.events(path))[-1]
    assert access.data["isDeleted"] is False
    assert access.data["roles"][str(desk.owner)] == "owner"


async def test_to_restore_what_is_there_changes_nothing(desk: Desk) -> None:
    path = await desk.staffed()
    before, told = (await desk.call("GET", path)).json()["data"], await desk.subjects(path)
    back = await desk.call("POST", f"{path}/restore")
    assert (back.status_code, back.json()["data"]) == (200, before)
    for user, status in ((desk.editor, 403), (desk.viewer, 403), (desk.stranger, 404)):
        assert (await desk.call("POST", f"{path}/restore", user)).status_code == status
    assert (await desk.call("POST", f"{PROJECTS}/{uuid7()}/restore")).status_code == 404
    assert await desk.subjects(path) == told


async def test_a_put_replaces_what_a_patch_would_keep(desk: Desk) -> None:
    path = await desk.project(description="Old", thumbnailUrl="https://x.org/a.png", isPublic=True)
    kept = (await desk.call("PATCH", path, sends={"name": "New"})).json()["data"]
    assert (kept["description"], kept["isPublic"]) == ("Old", True)
    assert kept["thumbnailUrl"] == "https://x.org/a.png"
    cleared = await desk.call("PATCH", path, sends={"thumbnailUrl": None})
    assert cleared.json()["data"]["thumbnailUrl"] is None
    replaced = (await desk.call("PUT", path, sends={"name": "Newer"})).json()["data"]
    assert (replaced["description"], replaced["isPublic"]) == ("", False)


async def test_a_list_is_a_page(desk: Desk) -> None:
    for number in range(5):
        await desk.project(name=f"Game {number}")
    await desk.project(name="100%_sure")
    answer = await desk.call("GET", f"{PROJECTS}?page=2&limit=2&sort=-createdAt")
    body = answer.json()
    assert [p["name"] for p in body["data"]] == ["Game 3", "Game 2"]
    request_id = answer.headers["x-request-id"]
    assert body["meta"] == {
        "page": 2,
        "limit": 2,
        "total": 6,
        "pages": 3,
        "hasNext": True,
        "hasPrev": True,
        "requestId": request_id,
    }
    assert answer.headers["link"] == (
        f'<{PROJECTS}?page=3&limit=2&sort=-createdAt>; rel="next", '
        f'<{PROJECTS}?page=1&limit=2&sort=-createdAt>; rel="prev"'
    )
    by_name = await desk.call("GET", f"{PROJECTS}?sort=name")
    assert [p["name"] for p in by_name.json()["data"]][:2] == ["100%_sure", "Game 0"]
    assert "link" not in by_name.headers
    found = await desk.call("GET", f"{PROJECTS}?q=%25_")
    assert [p["name"] for p in found.json()["data"]] == ["100%_sure"]
    beyond = await desk.call("GET", f"{PROJECTS}?page=9")
    assert (beyond.status_code, beyond.json()["data"]) == (200, [])
    assert beyond.json()["meta"]["total"] == 6
    clamped = await desk.call("GET", f"{PROJECTS}?limit=9999")
    assert clamped.json()["meta"]["limit"] == 100


@pytest.mark.parametrize(
    "query",
    [
        *("sort=bogus", "sort=settings", "sort=", "limit=0", "limit=x", "page=0", "page=-1"),
        *("page=99999999999999999999", "scope=everything", f"q={'x' * 101}"),
    ],
)
async def test_a_list_cannot_be_asked_for_just_anything(desk: Desk, query: str) -> None:
    answer = await desk.call("GET", f"{PROJECTS}?{query}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_ERROR")
    assert answer.json()["error"]["details"][0]["field"] == query.partition("=")[0]


async def test_lists_know_whose_a_project_is(desk: Desk) -> None:
    own = await desk.staffed(name="Shared")
    public = await desk.project(name="Open", isPublic=True)

    async def names(user: UUID, query: str) -> list[str]:
        answer = await desk.call("GET", f"{PROJECTS}?{query}&sort=name", user)
        return [p["name"] for p in answer.json()["data"]]

    assert await names(desk.owner, "scope=owned") == ["Open", "Shared"]
    assert await names(desk.owner, "scope=shared") == []
    assert await names(desk.viewer, "scope=shared") == ["Shared"]
    assert await names(desk.viewer, "scope=owned") == []
    assert await names(desk.stranger, "scope=shared") == []
    assert "Open" in await names(desk.stranger, "scope=public&q=Open&limit=100")
    await desk.call("DELETE", own)
    assert await names(desk.viewer, "scope=shared") == []
    assert await names(desk.viewer, "scope=trashed") == []
    await desk.call("DELETE", public)
    assert await names(desk.owner, "scope=trashed") == ["Open", "Shared"]


@pytest.mark.parametrize(
    ("sends", "fields"),
    [
        ({}, {"name"}),
        ({"name": ""}, {"name"}),
        ({"name": "   "}, {"name"}),
        ({"name": "x" * 101}, {"name"}),
        ({"name": "a\0b"}, {"name"}),
        ({"name": "a\nb"}, {"name"}),
        ({"name": 1}, {"name"}),
        ({"name": None}, {"name"}),
        ({"name": "x", "ownerId": str(uuid7())}, {"ownerId"}),
        ({"name": "x", "userId": str(uuid7()), "role": "owner"}, {"userId", "role"}),
        ({"name": "x", "isPublic": "yes", "settings": []}, {"isPublic", "settings"}),
        ({"name": "", "foo": 1, "isPublic": 1}, {"name", "foo", "isPublic"}),
        ({"name": "x", "thumbnailUrl": "javascript:alert(1)"}, {"thumbnailUrl"}),
        ({"name": "x", "settings": {str(n): n for n in range(201)}}, {"settings"}),
        ([], {""}),
        ("name", {""}),
    ],
)
async def test_every_fault_of_a_body_is_named(desk: Desk, sends: Any, fields: set[str]) -> None:
    answer = await desk.client.post(
        PROJECTS,
        headers={"x-fleet-secret": desk.client.secret, "x-user-id": str(desk.owner)},
        json=sends,
    )
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "VALIDATION_ERROR")
    assert {detail["field"] for detail in error["details"]} == fields
    assert all(detail["message"] for detail in error["details"])


async def test_nobody_gives_himself_what_is_not_his(desk: Desk) -> None:
    path = await desk.project()
    for method in ("PUT", "PATCH"):
        for member in ("id", "userId", "ownerId", "role", "createdAt", "accessVersion"):
            sends = {"name": "X", member: str(desk.stranger)}
            answer = await desk.call(method, path, sends=sends)
            assert answer.status_code == 400, (method, member)
    data = (await desk.call("GET", path)).json()["data"]
    assert (data["userId"], data["name"]) == (str(desk.owner), "Pong")


async def test_who_may_see_and_change_a_project(desk: Desk) -> None:
    path = await desk.staffed()
    for user in (desk.owner, desk.editor, desk.commenter, desk.viewer):
        assert (await desk.call("GET", path, user)).status_code == 200
    changes = {desk.editor: 200, desk.commenter: 403, desk.viewer: 403, desk.stranger: 404}
    for user, status in changes.items():
        answer = await desk.call("PATCH", path, user, sends={"name": "By somebody"})
        assert answer.status_code == status
    for user in (desk.editor, desk.viewer):
        answer = await desk.call("DELETE", path, user)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "FORBIDDEN")
    assert (await desk.call("DELETE", path, desk.stranger)).status_code == 404
    roles = {desk.editor: "editor", desk.viewer: "viewer"}
    for user, role in roles.items():
        assert (await desk.call("GET", path, user)).json()["data"]["role"] == role


async def test_a_private_project_looks_like_one_that_is_not_there(desk: Desk) -> None:
    path = await desk.project()
    hidden = await desk.call("GET", path, desk.stranger, x_request_id="the-same-id")
    absent = await desk.call("GET", f"{PROJECTS}/{uuid7()}", x_request_id="the-same-id")
    anonymous = await desk.client.call("GET", path, x_request_id="the-same-id")
    assert hidden.status_code == absent.status_code == anonymous.status_code == 404
    assert hidden.content == absent.content == anonymous.content


async def test_a_public_project_is_open_to_read_alone(desk: Desk) -> None:
    path = await desk.project(isPublic=True)
    await desk.put(path, "a.txt", "hello")
    reads = (path, f"{path}/files/a.txt", f"{path}/tree", f"{path}/files")
    for read in reads:
        assert (await desk.call("GET", read, desk.stranger)).status_code == 200
        assert (await desk.client.call("GET", read)).status_code == 200
    assert (await desk.call("GET", path, desk.stranger)).json()["data"]["role"] == "viewer"
    for user, status in ((desk.stranger, 403), (None, 401)):
        answer = await desk.client.call("PUT", f"{path}/files/a.txt", user, sends={"content": "x"})
        assert answer.status_code == status
        assert (await desk.client.call("DELETE", path, user)).status_code == status
    await desk.call("PATCH", path, sends={"isPublic": False})
    for read in reads:
        assert (await desk.call("GET", read, desk.stranger)).status_code == 404
    access = [e.data for e in await desk.events(path) if "access" in e.subject]
    assert [(a["version"], a["isPublic"]) for a in access] == [(1, True), (2, False)]


async def test_only_an_owner_decides_who_may_see(desk: Desk) -> None:
    path = await desk.staffed()
    answer = await desk.call("PATCH", path, desk.editor, sends={"isPublic": True})
    assert answer.status_code == 403
    same = await desk.call("PATCH", path, desk.editor, sends={"isPublic": False, "name": "X"})
    assert same.status_code == 200


async def test_a_key_for_one_project_goes_no_further(desk: Desk) -> None:
    mine, other = await desk.project(name="Mine"), await desk.project(name="Other")
    key = {
        "x_auth_method": "api_key",
        "x_auth_scopes": "projects:read projects:write",
        "x_auth_project": mine.rpartition("/")[2],
    }
    assert (await desk.call("GET", mine, **key)).status_code == 200
    assert (await desk.call("GET", other, **key)).status_code == 404
    listed = await desk.call("GET", PROJECTS, **key)
    assert [p["name"] for p in listed.json()["data"]] == ["Mine"]
    made = await desk.call("POST", PROJECTS, sends={"name": "x"}, **key)
    assert made.status_code == 403


async def test_a_key_does_what_its_scopes_say(desk: Desk) -> None:
    path = await desk.project()
    reading = {"x_auth_method": "api_key", "x_auth_scopes": "projects:read builds:write"}
    assert (await desk.call("GET", path, **reading)).status_code == 200
    refused = await desk.call("PATCH", path, sends={"name": "X"}, **reading)
    error = refused.json()["error"]
    assert (refused.status_code, error["code"]) == (403, "INSUFFICIENT_SCOPE")
    assert error["details"] == [{"scope": "projects:write"}]
