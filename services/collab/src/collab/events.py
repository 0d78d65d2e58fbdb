"""What collab stores of what others announce: who may do what, and where files and projects go."""

from typing import Any

from collab.chat import service as chat
from collab.comments import service as comments
from collab.documents import service as documents
from common.access import Access, learn
from common.bus import Subscription
from common.contracts.base import CloudEvent
from common.contracts.projects import (
    AccessChanged,
    FileChange,
    FileCreated,
    FileDeleted,
    FileMoved,
    FileUpdated,
    ProjectDeleted,
)
from common.database import Queries


def access_of(fact: AccessChanged) -> Access:
    """The snapshot that the event is."""
    return Access(
        resource_id=fact.project_id,
        version=fact.version,
        is_public=fact.is_public,
        is_deleted=fact.is_deleted,
        roles=fact.roles,
    )


async def on_access_changed(tx: Queries, event: CloudEvent[AccessChanged]) -> None:
    """Keep the newest word on a project's members."""
    await learn(tx, access_of(event.data))


async def on_project_deleted(tx: Queries, event: CloudEvent[ProjectDeleted]) -> None:
    """Forget what was made of a project that is gone for good."""
    if event.data.purged:
        await documents.forget(tx, event.data.project_id)
        await comments.forget(tx, event.data.project_id)
        await chat.forget(tx, event.data.project_id)


async def on_file_changed[F: FileChange](tx: Queries, event: CloudEvent[F]) -> None:
    """Let comments go where their file goes."""
    await comments.follow(tx, event)


SUBSCRIPTIONS: list[Subscription[Any]] = [
    Subscription(AccessChanged, on_access_changed),
    Subscription(ProjectDeleted, on_project_deleted),
    Subscription(FileCreated, on_file_changed),
    Subscription(FileUpdated, on_file_changed),
    Subscription(FileMoved, on_file_changed),
    Subscription(FileDeleted, on_file_changed),
]
