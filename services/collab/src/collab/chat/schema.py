"""What callers send and receive about a project's chat."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

_NOT_BLANK = r"^(?=[\s\S]*\S)[^\x00]+$(?!\n)"
Text = Annotated[str, Meta(min_length=1, max_length=4_000, pattern=_NOT_BLANK)]
Mentions = Annotated[list[UUID], Meta(max_length=50)]


class NewMessage(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Something to say; ``mentions`` are members. ``clientId``: the same again is said once."""

    text: Text
    mentions: Mentions = []
    client_id: UUID | None = None


class Message(Struct, frozen=True, rename="camel"):
    """Something that was said: the ``number``-th message of its project."""

    id: UUID
    number: int
    user_id: UUID
    text: str
    mentions: list[UUID]
    client_id: UUID | None
    created_at: datetime


class ReadUpTo(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The last message that was read."""

    message_id: UUID


class Unread(Struct, frozen=True, rename="camel"):
    """How many messages wait, how many of them name the caller, and the last one that was read."""

    unread: int
    mentions: int
    read_number: int
    last_number: int
