"""What the service hears of projects, as the bus brings it."""

from datetime import UTC, datetime

import msgspec

from common.access import Standing, standing
from common.bus import Bus, Listener
from common.contracts.base import CloudEvent
from common.contracts.projects import AccessChanged
from common.ids import uuid7
from registry.events import SUBSCRIPTIONS


def heard(project, version, role):
    """An event as it comes from JetStream."""
    fact = AccessChanged(
        project_id=project,
        version=version,
        is_public=False,
        is_deleted=False,
        roles={str(user): given for user, given in role.items()},
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
    db = desk.client.app.state.db
    listener = Listener("registry", Bus("registry", "", "", ""), db, SUBSCRIPTIONS)
    project, owner, editor = uuid7(), uuid7(), uuid7()
    subject = AccessChanged.subject
    newest = heard(project, 2, {owner: "owner"})
    assert await listener.act(subject, newest)
    assert not await listener.act(subject, newest)
    assert await listener.act(subject, heard(project, 1, {owner: "owner", editor: "editor"}))
    assert await standing(db, project, owner) == Standing(
        is_deleted=False, is_public=False, role="owner"
    )
    assert await standing(db, project, editor) == Standing(
        is_deleted=False, is_public=False, role=None
    )
