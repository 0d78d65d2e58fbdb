"""A comment as it is stored, and the document that it is in."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

import msgspec

from collab.documents.schema import Opened, WantedOpen
from collab.workshop.workshop import Workshop
from common.access import Ask
from common.database import Database


class Row(msgspec.Struct, frozen=True):
    """A comment, or a reply: that has a ``parent_id``, and its place from there."""

    id: UUID
    project_id: UUID
    number: int
    parent_id: UUID | None
    document_id: UUID
    path: str
    start: bytes
    end: bytes
    quote: str
    user_id: UUID
    text: str
    mentions: list[UUID]
    resolved_by: UUID | None
    resolved_at: datetime | None
    is_file_gone: bool
    stale_by: UUID | None
    created_at: datetime
    edited_at: datetime | None


class ReplyRow(msgspec.Struct, frozen=True):
    """One of a thread's newest replies, and how many the thread has."""

    id: UUID
    project_id: UUID
    number: int
    parent_id: UUID
    user_id: UUID
    text: str
    mentions: list[UUID]
    created_at: datetime
    edited_at: datetime | None
    replies: int


class Wanted(msgspec.Struct, frozen=True):
    """Which comments of a project are wanted, and how many."""

    project_id: UUID
    path: str | None
    is_resolved: bool | None
    before: int | None
    limit: int


type Open = Callable[[UUID, WantedOpen], Awaitable[Opened]]
"""What opens a document of a project, wherever it lives; it has taken in what its file is."""


class Means(msgspec.Struct, frozen=True):
    """What comments are kept with."""

    db: Database
    ask: Ask
    open_document: Open
    workshop: Workshop
