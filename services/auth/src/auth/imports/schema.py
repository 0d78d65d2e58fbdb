"""What is said of an account that comes from elsewhere, and what is wrong with that."""

from datetime import datetime
from typing import Annotated, override

from msgspec import Meta, Struct

from auth.accounts.schema import Email, Line, Username

# what is kept of passwords here and in most places; what it may cost is seen to beside this
_ARGON2ID = r"\$argon2id\$v=\d+\$m=\d+,t=\d+,p=\d\d?\$[A-Za-z0-9+/]{11,}\$[A-Za-z0-9+/]{16,}"
_BCRYPT = r"\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}"
PasswordHash = Annotated[str, Meta(max_length=512, pattern=rf"^(?:{_ARGON2ID}|{_BCRYPT})$(?!\n)")]


class NewAccount(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """An account that comes with its password's hash."""

    email: Email
    username: Username
    password_hash: PasswordHash
    display_name: Line | None = None
    email_verified: bool = False
    created_at: Annotated[datetime, Meta(tz=True)] | None = None


class Entry(Struct, frozen=True):
    """A line of the file that can become an account."""

    line: int
    account: NewAccount


class Fault(Struct, frozen=True):
    """What is wrong with a line."""

    line: int
    field: str
    message: str

    @override
    def __str__(self) -> str:
        """Write it for whoever mends the file."""
        return f"line {self.line}: {self.field + ': ' if self.field else ''}{self.message}"
