"""What callers send to get another password."""

from typing import Annotated

from msgspec import Meta, Struct

from auth.accounts.schema import Email, Password
from auth.addresses.schema import MailToken


class Forgotten(Struct, frozen=True, forbid_unknown_fields=True):
    """Whose password is forgotten."""

    email: Email


class Reset(Struct, frozen=True, forbid_unknown_fields=True):
    """A token that came by mail, and the new password."""

    token: MailToken
    password: Password


class Change(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The password as it is, and the new one."""

    current_password: Annotated[str, Meta(min_length=1, max_length=1024)]
    password: Password
