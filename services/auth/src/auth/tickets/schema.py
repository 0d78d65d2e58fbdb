"""What callers send and receive about tickets for sockets."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct


class Ticket(Struct, frozen=True, rename="camel"):
    """A ticket for one socket: it is good once, and not for long."""

    ticket: str
    expires_at: datetime


class Presented(Struct, frozen=True, forbid_unknown_fields=True):
    """A ticket that somebody came with."""

    ticket: Annotated[str, Meta(max_length=512)]


class Holder(Struct, frozen=True, rename="camel"):
    """Whose ticket it was."""

    user_id: UUID
    session_id: UUID
    role: str
    username: str
    display_name: str
