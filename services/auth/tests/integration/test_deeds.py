"""What somebody does in projects is noted with what they do elsewhere, once."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest
from services.auth.tests.desk import ADDRESS, Desk, Person

from auth.audit.events import SUBSCRIPTIONS
from common.bus import Bus, Listener
from common.contracts.base import CloudEvent, Event
from common.contracts.projects import MemberAdded, MemberChanged, MemberRemoved, ProjectDeleted
from common.ids import uuid7
from common.testing.waiting import until
from fleet.testing import Running

AT = datetime(2026, 1, 1, 12, 30, tzinfo=UTC)


def heard(fact: Event, key: UUID) -> bytes:
    """An event as it comes from JetStream."""
    event = CloudEvent(
        id=uuid7(),
        source="/projects",
        type=fact.subject,
        subject=str(key),
        time=AT,
        data=fact,
        requestid="request-there",
    )
    return msgspec.json.encode(event)


@pytest.fixture
def listener(desk: Desk) -> Listener:
    """What acts on events, without waiting for JetStream to bring them."""
    return Listener("auth", Bus("auth", "", "", ""), desk.client.db, SUBSCRIPTIONS)


async def told(desk: Desk, who: Person, action: str) -> list[dict[str, Any]]:
    """What somebody reads of themselves, of one kind."""
    answer = await desk.call("GET", f"/api/v1/users/me/audit?action={action}", who)
    data: list[dict[str, Any]] = answer.json()["data"]
    return data


async def test_a_deleted_project_is_noted_for_who_did_it(desk: Desk, listener: Listener) -> None:
    ann, project = await desk.person(), uuid7()
    fact = ProjectDeleted(project_id=project, actor_id=ann.id, name="Pong", address=ADDRESS)
    event = heard(fact, project)
    assert await listener.act(fact.subject, event)
    assert not await listener.act(fact.subject, event)
    (entry,) = await told(desk, ann, "project.deleted")
    assert datetime.fromisoformat(entry.pop("at")) == AT
    assert UUID(entry.pop("id")).version == 7
    assert entry == {
        "action": "project.deleted",
        "actorId": str(ann.id),
        "address": ADDRESS,
        "userAgent": "",
        "requestId": "request-there",
        "details": {"projectId": str(project), "purged": False, "before": {"name": "Pong"}},
    }


async def test_a_member_s_change_is_noted_for_both(desk: Desk, listener: Listener) -> None:
    ann, bob, project = await desk.person(), await desk.person(), uuid7()
    whom: Any = {"project_id": project, "user_id": bob.id, "actor_id": ann.id, "address": ADDRESS}
    facts: dict[str, tuple[Event, dict[str, Any]]] = {
        "member.added": (MemberAdded(**whom, role="viewer"), {"after": {"role": "viewer"}}),
        "member.changed": (
            MemberChanged(**whom, role="editor", previous_role="viewer"),
            {"before": {"role": "viewer"}, "after": {"role": "editor"}},
        ),
        "member.removed": (
            MemberRemoved(**whom, previous_role="editor"),
            {"before": {"role": "editor"}},
        ),
    }
    for action, (fact, details) in facts.items():
        assert await listener.act(fact.subject, heard(fact, project))
        (done,), (suffered,) = await told(desk, ann, action), await told(desk, bob, action)
        about = {"projectId": str(project), "userId": str(bob.id)}
        assert done["details"] == suffered["details"] == about | details
        assert done["actorId"] == suffered["actorId"] == str(ann.id)
        # from where ann did it, bob does not learn
        assert (done["address"], suffered["address"]) == (ADDRESS, "")


async def test_who_leaves_has_it_noted_once(desk: Desk, listener: Listener) -> None:
    ann, project = await desk.person(), uuid7()
    fact = MemberRemoved(project_id=project, user_id=ann.id, actor_id=ann.id)
    assert await listener.act(fact.subject, heard(fact, project))
    assert len(await told(desk, ann, "member.removed")) == 1


async def test_the_service_hears_of_it_by_itself(desk: Desk, stores: Running) -> None:
    projects = stores.env("projects")
    bus = Bus("projects", projects["NATS_URL"], "projects", projects["NATS_PASSWORD"])
    await bus.connect()
    ann, project = await desk.person(), uuid7()
    fact = ProjectDeleted(project_id=project, actor_id=ann.id)
    try:
        stream = bus.stream
        assert stream is not None
        await stream.publish(fact.subject, heard(fact, project))

        async def is_noted() -> list[dict[str, Any]]:
            return await told(desk, ann, "project.deleted")

        # what others announced before, in the whole of a run, is noted first
        assert len(await until(is_noted, within_s=300)) == 1
    finally:
        await bus.close()
