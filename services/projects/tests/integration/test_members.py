"""Members through HTTP, beside the real auth service, which knows whose a login is."""

from uuid import UUID

import httpx
import pytest
from services.projects.tests.desk import Desk

from common.ids import uuid7
from common.testing.apps import Serving
from common.testing.processes import Process

PROJECTS = "/api/v1/projects"
ADDRESS = "198.51.100.7"
SENT = {"x_envoy_external_address": ADDRESS}


async def account(auth: Process) -> tuple[UUID, str]:
    """Make an account; return its id and its username."""
    name = f"u{uuid7().hex[-20:]}"
    sends = {"email": f"{name}@example.org", "username": name, "password": "correct horse"}
    answer = await auth.call("POST", "/api/v1/auth/register", sends=sends)
    assert answer.status_code == 201, answer.text
    return UUID(answer.json()["data"]["user"]["id"]), name


async def test_a_project_is_handed_over_to_a_member(desk: Desk, auth: Process) -> None:
    project = await desk.project()
    people, path = f"{project}/collaborators", f"{project}/transfer"
    ann, name = await account(auth)
    by_name, by_id = {"login": name}, {"userId": str(ann)}
    refused = await desk.call("POST", path, sends=by_name)
    assert (refused.status_code, fields(refused)) == (400, ["login"])
    await desk.call("POST", people, sends=by_name | {"role": "viewer"})
    assert (await desk.call("POST", path, ann, sends=by_id)).status_code == 403
    assert (await desk.call("POST", path, desk.stranger, sends=by_id)).status_code == 404
    for wrong in ({}, by_name | by_id, {"userId": str(uuid7())}, {"login": "nobody at all"}):
        assert (await desk.call("POST", path, sends=wrong)).status_code == 400
    assert (await desk.call("GET", project)).json()["data"]["role"] == "owner"

    given = await desk.call("POST", path, **SENT, sends=by_id)
    data = given.json()["data"]
    assert (given.status_code, data["userId"], data["role"]) == (200, str(ann), "editor")
    assert (await desk.call("GET", project, ann)).json()["data"]["role"] == "owner"
    assert (await desk.call("DELETE", project)).status_code == 403
    events = await desk.events(project)
    assert [e.subject.split(".")[1] for e in events[-3:]] == ["member", "member", "access"]
    assert events[-1].data["roles"] == {str(ann): "owner", str(desk.owner): "editor"}
    assert [e.data["previousRole"] for e in events[-3:-1]] == ["viewer", "owner"]
    mine = await desk.call("POST", path, ann, sends=by_id)
    assert (mine.status_code, fields(mine)) == (400, ["userId"])


async def test_nobody_is_handed_more_projects_than_they_may_have(
    serve: Serving, auth: Process
) -> None:
    async with serve(PROJECTS_PER_USER_MAX="1") as client:
        desk = Desk(client)
        project = await desk.project()
        ann, _ = await account(auth)
        assert (await desk.call("POST", PROJECTS, ann, sends={"name": "Own"})).status_code == 201
        member = {"userId": str(ann), "role": "editor"}
        await desk.call("POST", f"{project}/collaborators", sends=member)
        refused = await desk.call("POST", f"{project}/transfer", sends={"userId": str(ann)})
        error = refused.json()["error"]
        assert (refused.status_code, error["code"]) == (403, "QUOTA_EXCEEDED")
        assert error["details"] == [{"limit": 1, "used": 1}]
        assert (await desk.call("GET", project)).json()["data"]["role"] == "owner"


def fields(answer: httpx.Response) -> list[str]:
    """The members of a request that an answer finds fault with."""
    return [each["field"] for each in answer.json()["error"]["details"]]


async def test_members_come_and_change_and_go(desk: Desk, auth: Process) -> None:
    project = await desk.project()
    people = f"{project}/collaborators"
    ann, name = await account(auth)
    assert (await desk.call("GET", project, ann)).status_code == 404

    added = await desk.call("POST", people, **SENT, sends={"login": name.upper(), "role": "viewer"})
    data = added.json()["data"]
    assert (added.status_code, added.headers["location"]) == (201, f"{people}/{ann}")
    assert (data["userId"], data["username"], data["role"]) == (str(ann), name, "viewer")
    assert (await desk.call("GET", project, ann)).json()["data"]["role"] == "viewer"
    assert (await desk.put(project, "a", "x", ann)).status_code == 403

    promoted = await desk.call("PATCH", f"{people}/{ann}", **SENT, sends={"role": "editor"})
    assert promoted.json()["data"]["role"] == "editor"
    assert (await desk.put(project, "a", "x", ann)).status_code == 201
    listed = await desk.call("GET", people, ann)
    assert [m["role"] for m in listed.json()["data"]] == ["owner", "editor"]

    assert (await desk.call("DELETE", f"{people}/{ann}", **SENT)).status_code == 204
    assert (await desk.call("GET", project, ann)).status_code == 404
    assert (await desk.call("DELETE", f"{people}/{ann}")).status_code == 404
    access = [e.data for e in await desk.events(project) if "access" in e.subject]
    owner = {str(desk.owner): "owner"}
    assert [a["version"] for a in access] == [1, 2, 3, 4]
    assert [a["roles"] for a in access] == [
        owner,
        {**owner, str(ann): "viewer"},
        {**owner, str(ann): "editor"},
        owner,
    ]
    changes = [e for e in await desk.events(project) if "member" in e.subject]
    told = [(e.subject.split(".")[2], e.data["address"]) for e in changes]
    assert told == [("added", ADDRESS), ("changed", ADDRESS), ("removed", ADDRESS)]
    roles = [(e.data.get("previousRole"), e.data.get("role")) for e in changes]
    assert roles == [(None, "viewer"), ("viewer", "editor"), ("editor", None)]


async def test_a_login_is_an_address_a_name_or_an_id(desk: Desk, auth: Process) -> None:
    project = await desk.project()
    people = f"{project}/collaborators"
    for number in range(3):
        user, name = await account(auth)
        who = ({"login": f"{name}@example.org"}, {"login": name}, {"userId": str(user)})[number]
        added = await desk.call("POST", people, sends={**who, "role": "commenter"})
        assert added.json()["data"]["userId"] == str(user)
        twice = await desk.call("POST", people, sends={**who, "role": "editor"})
        assert (twice.status_code, twice.json()["error"]["code"]) == (409, "CONFLICT")


async def test_somebody_has_to_exist(desk: Desk, auth: Process) -> None:
    people = f"{await desk.project()}/collaborators"
    assert await auth.is_ready()
    for who in ({"login": "nobody-at-all"}, {"userId": str(uuid7())}):
        answer = await desk.call("POST", people, sends={**who, "role": "editor"})
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (400, "VALIDATION_ERROR")
        assert [d["field"] for d in error["details"]] == list(who)


async def test_without_auth_nobody_new_comes_in(desk: Desk, told: dict[str, str]) -> None:
    people = f"{await desk.project()}/collaborators"
    assert told["AUTH_URL"]
    refused = await desk.call("POST", people, desk.stranger, sends={"login": "x", "role": "viewer"})
    assert refused.status_code == 404


@pytest.mark.parametrize(
    "sends",
    [
        {},
        {"role": "viewer"},
        {"login": "x"},
        {"login": "x", "role": "admin"},
        {"login": "x", "userId": "0190a000-0000-7000-8000-00000000000b", "role": "viewer"},
        {"login": "", "role": "viewer"},
        {"login": "a\0", "role": "viewer"},
        {"userId": "me", "role": "viewer"},
        {"login": "x", "role": "viewer", "username": "other"},
    ],
)
async def test_what_names_nobody_is_refused(desk: Desk, sends: dict[str, str]) -> None:
    answer = await desk.call("POST", f"{await desk.project()}/collaborators", sends=sends)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_ERROR")


async def test_a_project_keeps_an_owner(desk: Desk) -> None:
    project = await desk.staffed()
    own = f"{project}/collaborators/{desk.owner}"
    for method, sends in (("DELETE", None), ("PATCH", {"role": "editor"})):
        answer = await desk.call(method, own, sends=sends)
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "LAST_OWNER")
    heir = f"{project}/collaborators/{desk.editor}"
    assert (await desk.call("PATCH", heir, sends={"role": "owner"})).status_code == 200
    assert (await desk.call("DELETE", own)).status_code == 204
    assert (await desk.call("GET", project)).status_code == 404
    assert (await desk.call("DELETE", project, desk.editor)).status_code == 204


async def test_only_owners_decide_who_enters_and_anybody_may_leave(desk: Desk) -> None:
    project = await desk.staffed()
    people = f"{project}/collaborators"
    for user, status in ((desk.editor, 403), (desk.viewer, 403), (desk.stranger, 404)):
        target = f"{people}/{desk.commenter}"
        sends = {"login": "x", "role": "viewer"}
        assert (await desk.call("POST", people, user, sends=sends)).status_code == status
        changed = await desk.call("PATCH", target, user, sends={"role": "owner"})
        assert changed.status_code == status
        assert (await desk.call("DELETE", target, user)).status_code == status
    assert (await desk.call("DELETE", f"{people}/{desk.viewer}", desk.viewer)).status_code == 204
    assert (await desk.call("GET", project, desk.viewer)).status_code == 404


async def test_strangers_do_not_see_who_is_in(desk: Desk) -> None:
    project = await desk.staffed(isPublic=True)
    people = f"{project}/collaborators"
    assert len((await desk.call("GET", people, desk.viewer)).json()["data"]) == 4
    assert (await desk.call("GET", people, desk.stranger)).status_code == 404
    assert (await desk.client.call("GET", people)).status_code == 401


async def test_nobody_changes_who_is_not_there(desk: Desk) -> None:
    target = f"{await desk.project()}/collaborators/{uuid7()}"
    changed = await desk.call("PATCH", target, sends={"role": "viewer"})
    assert changed.status_code == 404
    assert (await desk.call("DELETE", target)).status_code == 404
