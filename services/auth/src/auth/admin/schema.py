"""What administrators send and receive about accounts."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType

type Role = Literal["user", "admin"]

SORTS = ("createdAt", "email", "username")


class Account(Struct, frozen=True, rename="camel"):
    """An account, as an administrator sees it; ``lastSeenAt`` is that of its sessions."""

    id: UUID
    email: str
    username: str
    display_name: str
    avatar_url: str | None
    role: str
    email_verified: bool
    disabled: bool
    created_at: datetime
    updated_at: datetime
    last_seen_at: datetime | None


class Changes(Struct, frozen=True, forbid_unknown_fields=True):
    """What changes about an account; what is not named stays."""

    role: Role | UnsetType = UNSET
    disabled: bool | UnsetType = UNSET
