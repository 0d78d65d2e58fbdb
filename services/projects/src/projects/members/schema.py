"""What callers send and receive about the people of a project."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

type Role = Literal["owner", "editor", "commenter", "viewer"]


class Somebody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """Somebody with an account: by ``login`` (an e-mail or a username) or by ``userId``."""

    login: Annotated[str, Meta(min_length=1, max_length=320, pattern=r"^[^\x00]*$")] | None = None
    user_id: UUID | None = None


class NewMember(Somebody, frozen=True, kw_only=True):
    """Somebody to let in, and as what."""

    role: Role


class NewRole(Struct, frozen=True, forbid_unknown_fields=True):
    """A member's next role."""

    role: Role


class Member(Struct, frozen=True, rename="camel"):
    """Somebody who may enter a project."""

    user_id: UUID
    username: str
    display_name: str
    role: str
    created_at: datetime
