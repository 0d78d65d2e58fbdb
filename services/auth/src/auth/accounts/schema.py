"""What callers send and receive about accounts."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

# Python's ``$`` also fits before a last line break, which a value must not end with
_END = r"$(?!\n)"
Email = Annotated[
    str,
    Meta(
        min_length=3,
        max_length=254,
        pattern=r"^[^@\s\x00-\x1f\x7f]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
        r"(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)+" + _END,
    ),
]
Username = Annotated[
    str,
    Meta(min_length=3, max_length=32, pattern=r"^[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])" + _END),
]
Password = Annotated[str, Meta(min_length=8, max_length=1024)]
Line = Annotated[
    str, Meta(min_length=1, max_length=100, pattern=r"^(?=.*\S)[^\x00-\x1f\x7f]+" + _END)
]
AvatarUrl = Annotated[str, Meta(max_length=2000, pattern=r"^https?://[^\x00-\x20\x7f]+" + _END)]
type TokenDelivery = Literal["cookie", "body"]


class Registration(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Somebody who wants an account."""

    email: Email
    username: Username
    password: Password
    display_name: Line | None = None
    token_delivery: TokenDelivery = "cookie"


class Profile(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """What changes about an account; what is not named stays."""

    display_name: Line | UnsetType = UNSET
    avatar_url: AvatarUrl | UnsetType | None = UNSET
    username: Username | UnsetType = UNSET
    # it is changed when the mail that goes there has been answered; it needs the password
    email: Email | UnsetType = UNSET
    current_password: Annotated[str, Meta(min_length=1, max_length=1024)] | UnsetType = UNSET


class User(Struct, frozen=True, rename="camel"):
    """An account, as its owner sees it."""

    id: UUID
    email: str
    username: str
    display_name: str
    avatar_url: str | None
    role: str
    email_verified: bool
    created_at: datetime
    updated_at: datetime


class PublicUser(Struct, frozen=True, rename="camel"):
    """An account, as everybody sees it."""

    id: UUID
    username: str
    display_name: str
    avatar_url: str | None
    created_at: datetime


class AccountName(Struct, frozen=True, rename="camel"):
    """Who a login is, for the rest of the fleet."""

    user_id: UUID
    username: str
    display_name: str
