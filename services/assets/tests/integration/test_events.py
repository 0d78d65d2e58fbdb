"""What the service hears of projects, as the bus brings it."""

from datetime import UTC, datetime

import msgspec

from assets.library.events import SUBSCRIPTIONS
from common.bus import Bus, Listener
from common.contracts.base import CloudEvent
from common.contracts.projects import AccessChanged
from common.ids import uuid7
from common.testing.waiting import until


def heard(project, version, roles):
    """An event as it comes from JetStream."""
    fact = AccessChanged(
        project_id=project, version=version, is_public=False, is_deleted=False, roles=roles
    )
    event = CloudEvent(
        id=uuid7(),
        source="/projects",
        type=fact.subject,
        subject=str(project),
        time=datetime(2026, 1, 1, tzinfo=UTC),
        data=fact,
    )
    return msgspec.json.encode(event)


async def test_the_newest_word_counts_and_each_is_heard_once(desk):
    listener = Listener(
        "assets", Bus("assets", "", "", ""), desk.client.app.state.db, SUBSCRIPTIONS
    )
    project = uuid7()
    subject = AccessChanged.subject
    newest = heard(project, 2, {str(desk.owner): "owner"})
    older = heard(project, 1, {str(desk.owner): "owner", str(desk.editor): "editor"})
    assert await listener.act(subject, newest)
    assert not await listener.act(subject, newest)
    assert await listener.act(subject, older)
    assert (await desk.upload(desk.owner, project, desk.png())).status_code == 201
    assert (await desk.upload(desk.editor, project, desk.png())).status_code == 404


async def test_a_member_removed_loses_access_by_the_event(desk, service_env):
    projects = service_env("projects")
    bus = Bus("projects", projects["NATS_URL"], "projects", projects["NATS_PASSWORD"])
    await bus.connect()
    project = uuid7()
    owner = {str(desk.owner): "owner"}
    try:
        for version, roles in ((1, owner | {str(desk.editor): "editor"}), (2, owner)):
            stream = bus.stream
            assert stream is not None
            await stream.publish(AccessChanged.subject, heard(project, version, roles))
            assert await becomes(desk, project, 200 if len(roles) > 1 else 404)
    finally:
        await bus.close()


async def becomes(desk, project, status):
    """Whether the editor's list is answered with ``status`` at last."""

    async def is_answered():
        answer = await desk.call("GET", f"/api/v1/projects/{project}/assets", desk.editor)
        return answer.status_code == status

    # what others announced before, in the whole of a run, is heard first
    return await until(is_answered, within_s=300)
