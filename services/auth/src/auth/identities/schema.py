"""What callers receive about who they are elsewhere."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct


class Identity(Struct, frozen=True, rename="camel"):
    """Who an account is at a provider: a way to log in."""

    id: UUID
    provider: str
    email: str | None
    created_at: datetime
    last_used_at: datetime
