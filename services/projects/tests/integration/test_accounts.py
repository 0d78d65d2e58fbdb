"""Projects follow accounts: what they are called, and that they are gone."""

from collections.abc import Callable
from uuid import UUID

from services.projects.tests.desk import Desk, registered, told

from common.bus import Listener
from common.contracts.auth import UserDeleted, UserRegistered, UserUpdated
from common.ids import uuid7
from common.testing.processes import Process, free_port, process
from common.testing.waiting import until

ME = "/api/v1/users/me"


def heard(user: UUID, event_id: UUID | None = None) -> bytes:
    """The event that somebody is gone."""
    return told(UserDeleted(user_id=user), user, event_id)


async def test_what_somebody_alone_owned_goes_to_the_trash(desk: Desk, listener: Listener) -> None:
    project = await desk.staffed()
    project_id = project.rpartition("/")[2]
    assert await listener.act(UserDeleted.subject, heard(desk.owner))
    for user in (desk.owner, desk.editor, desk.viewer):
        assert (await desk.call("GET", project, user)).status_code == 404
    trashed = await desk.call("GET", "/api/v1/projects?scope=trashed")
    assert [one["id"] for one in trashed.json()["data"]] == [project_id]
    deleted, access = await desk.news(project, 2)
    told = {"projectId": project_id, "actorId": str(desk.owner), "name": "Pong"}
    assert deleted == ("project.deleted.v1", {**told, "purged": False, "address": ""})
    assert access[0] == "access.changed.v1"
    assert access[1]["isDeleted"]


async def test_what_somebody_else_owns_too_stays_without_them(
    desk: Desk, listener: Listener
) -> None:
    project = await desk.staffed()
    heir = f"{project}/collaborators/{desk.editor}"
    assert (await desk.call("PATCH", heir, sends={"role": "owner"})).status_code == 200
    for user, role in ((desk.owner, "owner"), (desk.viewer, "viewer")):
        assert await listener.act(UserDeleted.subject, heard(user))
        removed, access = await desk.news(project, 2)
        assert removed[0] == "member.removed.v1"
        assert (removed[1]["userId"], removed[1]["actorId"]) == (str(user), str(user))
        assert removed[1]["previousRole"] == role
        assert not access[1]["isDeleted"]
        assert str(user) not in access[1]["roles"]
        assert (await desk.call("GET", project, user)).status_code == 404
    people = await desk.call("GET", f"{project}/collaborators", desk.editor)
    assert {one["userId"] for one in people.json()["data"]} == {
        str(desk.editor),
        str(desk.commenter),
    }


async def test_all_their_projects_are_left_and_no_others(desk: Desk, listener: Listener) -> None:
    own = [await desk.project() for _ in range(5)]
    shared = await desk.staffed()
    assert await listener.act(UserDeleted.subject, heard(desk.editor))
    assert await listener.act(UserDeleted.subject, heard(desk.stranger))
    for project in (*own, shared):
        assert (await desk.call("GET", project)).status_code == 200
    assert await listener.act(UserDeleted.subject, heard(desk.owner))
    for project in (*own, shared):
        assert (await desk.subjects(project))[-2:] == ["project.deleted", "access.changed"]


async def test_the_event_changes_nothing_when_it_comes_again(
    desk: Desk, listener: Listener
) -> None:
    project, trashed = await desk.staffed(), await desk.project()
    await desk.call("DELETE", trashed)
    once = uuid7()
    assert await listener.act(UserDeleted.subject, heard(desk.owner, once))
    before = [await desk.events(one) for one in (project, trashed)]
    assert len(before[1]) == 4
    assert not await listener.act(UserDeleted.subject, heard(desk.owner, once))
    # even told anew, it finds nothing to do
    assert await listener.act(UserDeleted.subject, heard(desk.owner))
    assert [await desk.events(one) for one in (project, trashed)] == before


async def names(desk: Desk, project: str) -> list[tuple[str, str]]:
    """What the members of a project are called."""
    people = (await desk.call("GET", f"{project}/collaborators")).json()["data"]
    return [(one["username"], one["displayName"]) for one in people]


async def test_members_are_called_what_was_heard_last(desk: Desk, listener: Listener) -> None:
    project = await desk.project()
    assert await names(desk, project) == [("", "")]
    who = {"user_id": desk.owner}
    new = UserRegistered(**who, username="ann", display_name="Ann")
    later = UserUpdated(**who, username="anne", display_name="Anne")
    older = UserUpdated(**who, username="an", display_name="An")
    assert await listener.act(new.subject, told(new, desk.owner, day=1))
    assert await names(desk, project) == [("ann", "Ann")]
    assert await listener.act(later.subject, told(later, desk.owner, day=3))
    assert await listener.act(older.subject, told(older, desk.owner, day=2))
    assert await names(desk, project) == [("anne", "Anne")]
    people = f"{project}/collaborators/{desk.owner}"
    changed = await desk.call("PATCH", people, sends={"role": "owner"})
    assert changed.json()["data"]["username"] == "anne"


async def test_it_is_heard_from_auth_itself(
    desk: Desk, service_env: Callable[[str], dict[str, str]]
) -> None:
    # on the database of all: what it hears is where others look for it
    own = {"PORT": str(free_port()), "MAIL_PARALLEL_MAX": "0", "ACCESS_LOG": "false"}
    async with process("auth.main:create_app", service_env("auth") | own) as announcing:
        await _followed(desk, announcing)


async def _followed(desk: Desk, auth: Process) -> None:
    """What becomes of an account becomes of its name and projects."""
    made = await registered(auth)
    user, name = UUID(made["id"]), made["username"]
    created = await desk.call("POST", "/api/v1/projects", user, sends={"name": "Pong"})
    project = created.headers["location"]

    async def called(wanted: str) -> bool:
        people = await desk.call("GET", f"{project}/collaborators", user)
        return [one["displayName"] for one in people.json()["data"]] == [wanted]

    assert await until(lambda: called(name))
    await auth.call("PATCH", ME, user, sends={"displayName": "Ann"})
    assert await until(lambda: called("Ann"))
    gone = await auth.call("DELETE", ME, user, x_auth_session=str(uuid7()))
    assert gone.status_code == 204

    async def is_gone() -> bool:
        return (await desk.call("GET", project, user)).status_code == 404

    assert await until(is_gone)
