"""What is said of an account that comes from elsewhere."""

from datetime import datetime
from typing import Annotated

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
