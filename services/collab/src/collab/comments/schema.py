"""What callers send and receive about comments."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from collab.chat.schema import Mentions, Text

Path = Annotated[str, Meta(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]
Index = Annotated[int, Meta(ge=0, le=2**31)]
Line = Annotated[int, Meta(ge=1, le=2**31)]
# a relative position, as Yjs encodes it, in base64
Relative = Annotated[str, Meta(min_length=1, max_length=100)]


class NewAnchor(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The stretch of a file that a comment is on; the file by its path or its id.

    ``start`` and ``end`` are relative positions (base64 of ``Y.encodeRelativePosition``) or
    offsets in UTF-16 code units; or else ``line`` until ``endLine``, counted from 1. Offsets and
    lines are of the text whose SHA-256 is ``hash``, or of what it is when they arrive.
    """

    path: Path | None = None
    file_id: UUID | None = None
    start: Index | Relative | None = None
    end: Index | Relative | None = None
    line: Line | None = None
    end_line: Line | None = None
    hash: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")] | None = None


class NewComment(Struct, frozen=True, forbid_unknown_fields=True):
    """Something to say about a stretch of a file; ``mentions`` are members."""

    text: Text
    anchor: NewAnchor
    mentions: Mentions = []


class NewReply(Struct, frozen=True, forbid_unknown_fields=True):
    """Something to say about a comment."""

    text: Text
    mentions: Mentions = []


class CommentChanges(Struct, frozen=True, forbid_unknown_fields=True):
    """What changes about a comment; what is not named stays."""

    text: Text | UnsetType = UNSET
    mentions: Mentions | UnsetType = UNSET
    resolved: bool | UnsetType = UNSET


class Anchor(Struct, frozen=True, rename="camel"):
    """What a comment holds on to; ``quote`` is what stood there when it was made."""

    file_id: UUID
    path: str
    start: str
    end: str
    quote: str


class Place(Struct, frozen=True, rename="camel"):
    """Where an anchor is now: offsets in UTF-16 code units, and lines counted from 1."""

    start: int
    end: int
    line: int
    end_line: int


class Comment(Struct, frozen=True, rename="camel"):
    """A comment with its newest replies, the oldest of them first.

    ``position`` is where it is now; ``orphaned`` says that the text or the file is gone. A reply
    has a ``parentId`` and stands where that stands.
    """

    id: UUID
    project_id: UUID
    number: int
    parent_id: UUID | None
    user_id: UUID
    text: str
    mentions: list[UUID]
    anchor: Anchor | None
    position: Place | None
    orphaned: bool
    resolved_by: UUID | None
    resolved_at: datetime | None
    created_at: datetime
    edited_at: datetime | None
    reply_count: int
    replies: list["Comment"]


class CommentsReadUpTo(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The last comment or reply that was read."""

    comment_id: UUID


class UnreadComments(Struct, frozen=True, rename="camel"):
    """How many comments and replies of others wait, and how many of them name the caller."""

    unread: int
    mentions: int
    read_number: int
    last_number: int
