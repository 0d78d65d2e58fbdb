"""Whose account is disabled may do nothing in any project, wherever that is asked."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

from services.projects.tests.desk import Desk, registered, told

from common.bus import Listener
from common.contracts.auth import UserDeleted, UserDisabled, UserEnabled
from common.ids import uuid7
from common.testing.processes import Process
from projects.members import repository


def disabled(user: UUID, day: int = 1) -> bytes:
    """The event that somebody may do nothing."""
    return told(UserDisabled(user_id=user, actor_id=uuid7()), user, day=day)


def enabled(user: UUID, day: int = 2) -> bytes:
    """The event that somebody may log in again."""
    return told(UserEnabled(user_id=user, actor_id=uuid7()), user, day=day)


async def roles(desk: Desk, project: str) -> dict[str, str]:
    """Who may do what, as the fleet is told it when it asks."""
    path = f"/internal/projects/{project.rpartition('/')[2]}/access"
    found: dict[str, str] = (await desk.client.call("GET", path)).json()["roles"]
    return found


async def test_who_is_disabled_may_do_nothing_until_they_are_enabled(
    desk: Desk, listener: Listener
) -> None:
    project, other, trashed = await desk.staffed(), await desk.staffed(), await desk.staffed()
    assert (await desk.call("DELETE", trashed)).status_code == 204
    alone = await desk.project()
    every = {
        str(desk.owner): "owner",
        str(desk.editor): "editor",
        str(desk.commenter): "commenter",
        str(desk.viewer): "viewer",
    }
    others = {user: role for user, role in every.items() if role != "editor"}
    assert await roles(desk, project) == every
    before = await desk.events(alone)
    assert await listener.act(UserDisabled.subject, disabled(desk.editor))
    for one in (project, other, trashed):
        assert await roles(desk, one) == others
        ((subject, access),) = await desk.news(one, 1)
        assert (subject, access["roles"]) == ("access.changed.v1", others)
    people = await desk.call("GET", f"{project}/collaborators")
    assert {person["userId"] for person in people.json()["data"]} == set(every)
    assert await listener.act(UserEnabled.subject, enabled(desk.editor))
    for one in (project, other, trashed):
        assert await roles(desk, one) == every
        assert (await desk.subjects(one))[-2:] == ["access.changed", "access.changed"]
    assert await desk.events(alone) == before


async def test_whoever_announces_access_leaves_out_who_is_disabled(
    desk: Desk, listener: Listener
) -> None:
    project = await desk.staffed()
    for user in (desk.editor, desk.owner):
        assert await listener.act(UserDisabled.subject, disabled(user))
    others = {str(desk.commenter): "commenter", str(desk.viewer): "viewer"}
    assert await roles(desk, project) == others
    # a request that was let in just before goes on
    for path, change in (
        (project, {"isPublic": True}),
        (f"{project}/collaborators/{desk.editor}", {"role": "viewer"}),
    ):
        assert (await desk.call("PATCH", path, sends=change)).is_success
        ((_, access),) = await desk.news(project, 1)
        assert access["roles"] == others
    assert await listener.act(UserEnabled.subject, enabled(desk.editor))
    assert await roles(desk, project) == others | {str(desk.editor): "viewer"}


async def test_where_nobody_else_is_nobody_may_do_anything(desk: Desk, listener: Listener) -> None:
    project = await desk.project()
    assert await listener.act(UserDisabled.subject, disabled(desk.owner))
    assert await roles(desk, project) == {}
    assert await listener.act(UserEnabled.subject, enabled(desk.owner))
    assert await roles(desk, project) == {str(desk.owner): "owner"}


async def test_an_older_word_on_who_is_disabled_changes_nothing(
    desk: Desk, listener: Listener
) -> None:
    project = await desk.staffed()
    assert await listener.act(UserDisabled.subject, disabled(desk.editor, day=3))
    before = await desk.events(project)
    assert await listener.act(UserDisabled.subject, disabled(desk.editor, day=3))
    assert await listener.act(UserEnabled.subject, enabled(desk.editor, day=2))
    assert await desk.events(project) == before
    assert str(desk.editor) not in await roles(desk, project)
    assert await listener.act(UserEnabled.subject, enabled(desk.editor, day=4))
    before = await desk.events(project)
    assert await listener.act(UserDisabled.subject, disabled(desk.editor, day=3))
    assert await desk.events(project) == before
    assert str(desk.editor) in await roles(desk, project)


async def test_what_was_heard_of_an_account_goes_with_it(desk: Desk, listener: Listener) -> None:
    project = await desk.staffed()
    assert await listener.act(UserDisabled.subject, disabled(desk.editor))
    assert await listener.act(
        UserDeleted.subject, told(UserDeleted(user_id=desk.editor), desk.editor)
    )
    assert (await desk.subjects(project))[-2:] == ["member.removed", "access.changed"]
    async with desk.client.db.transaction() as tx:
        # any word is news of somebody of whom nothing is known
        assert await repository.mark(
            tx, desk.editor, datetime(2020, 1, 1, tzinfo=UTC), is_disabled=False
        )


async def test_who_comes_in_while_they_are_disabled_is_left_out(
    desk: Desk, listener: Listener, auth: Process
) -> None:
    user = (await registered(auth))["id"]
    project = await desk.project()
    people = f"{project}/collaborators"
    async with desk.client.db.transaction() as tx:
        await repository.hold_account(tx, UUID(user))
        disabling = asyncio.create_task(listener.act(UserDisabled.subject, disabled(UUID(user))))
        adding = asyncio.create_task(
            desk.call("POST", people, sends={"userId": user, "role": "editor"})
        )
        done, _ = await asyncio.wait((disabling, adding), timeout=0.2)
        assert not done
    assert await disabling
    assert (await adding).status_code == 201
    assert await roles(desk, project) == {str(desk.owner): "owner"}
