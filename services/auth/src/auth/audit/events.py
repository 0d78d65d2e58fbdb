"""What the audit hears of projects: what somebody did there counts among what they did."""

from typing import Any

from auth.audit import service
from auth.audit.types import Deed
from common.bus import Subscription
from common.contracts.base import CloudEvent
from common.contracts.projects import (
    MemberAdded,
    MemberChange,
    MemberChanged,
    MemberRemoved,
    ProjectDeleted,
)
from common.database import Queries


async def on_project_deleted(tx: Queries, event: CloudEvent[ProjectDeleted]) -> None:
    """Note it for who did it."""
    fact = event.data
    details = {"projectId": fact.project_id, "purged": fact.purged, "before": {"name": fact.name}}
    deed = Deed("project.deleted", fact.actor_id, fact.address, {fact.actor_id}, details)
    await service.learn(tx, event, deed)


async def on_member_added(tx: Queries, event: CloudEvent[MemberAdded]) -> None:
    """Note it for who did it, and for who came."""
    await _member(tx, event, "member.added", after={"role": event.data.role})


async def on_member_changed(tx: Queries, event: CloudEvent[MemberChanged]) -> None:
    """Note it for who did it, and for whom it happened to."""
    fact = event.data
    before, after = {"role": fact.previous_role}, {"role": fact.role}
    await _member(tx, event, "member.changed", before=before, after=after)


async def on_member_removed(tx: Queries, event: CloudEvent[MemberRemoved]) -> None:
    """Note it for who did it, and for who went."""
    await _member(tx, event, "member.removed", before={"role": event.data.previous_role})


async def _member[M: MemberChange](
    tx: Queries, event: CloudEvent[M], action: str, **more: object
) -> None:
    fact = event.data
    details = {"projectId": fact.project_id, "userId": fact.user_id, **more}
    whose = {fact.actor_id, fact.user_id}
    await service.learn(tx, event, Deed(action, fact.actor_id, fact.address, whose, details))


SUBSCRIPTIONS: list[Subscription[Any]] = [
    Subscription(ProjectDeleted, on_project_deleted),
    Subscription(MemberAdded, on_member_added),
    Subscription(MemberChanged, on_member_changed),
    Subscription(MemberRemoved, on_member_removed),
]
