"""What the queue of mails holds, and whom they go to."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct


class Waiting(Struct, frozen=True):
    """A mail that is this process's to send for a while."""

    id: UUID
    kind: str
    sealed: bytes
    created_at: datetime
    attempts: int
    is_late: bool


class Addressee(Struct, frozen=True):
    """Whose account a mail is about, and where it goes.

    ``is_proven`` is for this very address: that its owner is the account's was shown.
    """

    id: UUID
    email: str
    username: str
    is_proven: bool = False
