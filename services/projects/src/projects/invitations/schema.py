"""What callers send and receive about invitations."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

# as auth wants it, which sends the mail
Email = Annotated[
    str,
    Meta(
        min_length=3,
        max_length=254,
        pattern=r"^[^@\s\x00-\x1f\x7f]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
        r"(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)+$(?!\n)",
    ),
]
type InvitedRole = Literal["editor", "commenter", "viewer"]


class NewInvitation(Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody to invite by their e-mail, and as what."""

    email: Email
    role: InvitedRole


class Invitation(Struct, frozen=True, rename="camel"):
    """Somebody who is invited and has not come yet. What lets them in, only their mail says."""

    id: UUID
    email: str
    role: str
    status: str
    invited_by: UUID
    created_at: datetime
    expires_at: datetime


class Offer(Struct, frozen=True):
    """What a token offers, for as long as nobody has taken it."""

    project_id: UUID
    email: str
    is_expired: bool
