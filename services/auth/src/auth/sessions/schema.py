"""What callers send and receive about sessions."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from auth.accounts.schema import TokenDelivery, User

Secret = Annotated[str, Meta(max_length=512)]


class Credentials(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Who logs in: ``login`` is an e-mail or a username."""

    login: Annotated[str, Meta(min_length=1, max_length=320)]
    password: Annotated[str, Meta(min_length=1, max_length=1024)]
    token_delivery: TokenDelivery = "cookie"


class Refresh(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A refresh token, from a client that keeps it itself; browsers send their cookie."""

    refresh_token: Secret | None = None


class Tokens(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """What a login gives. ``refreshToken`` is there only for who asked for it in the body."""

    user: User
    access_token: str
    token_type: str
    expires_in: int
    refresh_token: str | None = None
    csrf_token: str | None = None


class Session(Struct, frozen=True, rename="camel"):
    """One login on one device."""

    id: UUID
    device: str
    user_agent: str
    address: str
    is_current: bool
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime


type LogoutScope = Literal["this", "all", "others"]
