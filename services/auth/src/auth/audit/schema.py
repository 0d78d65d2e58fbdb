"""What callers receive about what happened to their accounts."""

from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct


class AuditEntry(Struct, frozen=True, rename="camel"):
    """Something that happened to an account's security: who did it, from where, and to what.

    From where others did something is theirs: ``address`` and ``userAgent`` are empty then.
    ``details`` says what it was about, and where it makes sense what was ``before`` and ``after``.
    """

    id: UUID
    at: datetime
    action: str
    actor_id: UUID | None
    address: str
    user_agent: str
    request_id: str
    details: dict[str, Any]
