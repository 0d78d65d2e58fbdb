"""What collab stores of what others announce: access to projects, and the files of documents."""

from typing import Any

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


async def on_file_changed[F: FileChange](tx: Queries, event: CloudEvent[F]) -> None:
    """Let documents follow their files."""
    await documents.learn(tx, event.data)


SUBSCRIPTIONS: list[Subscription[Any]] = [
    Subscription(AccessChanged, on_access_changed),
    Subscription(FileCreated, on_file_changed),
    Subscription(FileUpdated, on_file_changed),
    Subscription(FileMoved, on_file_changed),
    Subscription(FileDeleted, on_file_changed),
]
