"""Who is on a socket."""

from uuid import UUID

import msgspec


class Identity(msgspec.Struct, frozen=True):
    """A verified user in a session, until a moment (seconds since the epoch)."""

    user_id: UUID
    session_id: str
    role: str
    expires_at: float
