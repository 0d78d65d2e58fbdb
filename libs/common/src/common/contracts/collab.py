"""What the collab service announces."""

from typing import ClassVar
from uuid import UUID

from common.contracts.base import Event


class ChatPosted(Event, frozen=True, kw_only=True):
    """Somebody said something to a project's members; ``number`` counts what is said there."""

    subject: ClassVar[str] = "collab.chat.posted.v1"

    project_id: UUID
    message_id: UUID
    number: int
    actor_id: UUID
    text: str
    mentions: list[UUID]
    client_id: UUID | None = None


class CommentEvent(Event, frozen=True, kw_only=True):
    """What every event of a comment tells; a reply has the ``parent_id`` of its thread."""

    project_id: UUID
    comment_id: UUID
    actor_id: UUID
    file_id: UUID
    path: str
    parent_id: UUID | None = None


class CommentCreated(CommentEvent, frozen=True, kw_only=True):
    """There is a new comment, or a new reply to one.

    A comment stands between ``start`` and ``end`` of the file's document: relative positions as
    Yjs encodes them, in base64. ``quote`` is the text between them.
    """

    subject: ClassVar[str] = "collab.comment.created.v1"

    number: int
    text: str
    mentions: list[UUID]
    start: str = ""
    end: str = ""
    quote: str = ""


class CommentUpdated(CommentEvent, frozen=True, kw_only=True):
    """A comment has another text, or a resolved one is open again."""

    subject: ClassVar[str] = "collab.comment.updated.v1"

    text: str
    mentions: list[UUID]
    is_resolved: bool = False


class CommentDeleted(CommentEvent, frozen=True, kw_only=True):
    """A comment is gone, with the replies to it."""

    subject: ClassVar[str] = "collab.comment.deleted.v1"


class CommentResolved(CommentEvent, frozen=True, kw_only=True):
    """What a comment was about is done."""

    subject: ClassVar[str] = "collab.comment.resolved.v1"
