"""What projects send and are told about invitations."""

from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from auth.accounts.schema import Email, Line

Token = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{20,100}$(?!\n)")]


class Invitation(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Somebody is invited to a project: by whom, and the token that lets them in."""

    email: Email
    project_name: Line
    invited_by: UUID
    token: Token
    lifetime_s: Annotated[int, Meta(ge=1, le=31_536_000)]


class Sending(Struct, frozen=True, rename="camel"):
    """Whether a mail leaves: an address gets no more than so many of them."""

    is_welcome: bool


class Claim(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """An account, and the address that it may or may not have proven to be its own."""

    user_id: UUID
    email: str


class Claimant(Struct, frozen=True, rename="camel"):
    """Whose account it is, and whether the address is known to be theirs; not what theirs is."""

    username: str
    display_name: str
    is_theirs: bool
