"""What callers send and receive about their e-mail addresses."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from auth.accounts.schema import Email

MailToken = Annotated[str, Meta(min_length=1, max_length=512)]


class Verification(Struct, frozen=True, forbid_unknown_fields=True):
    """A token that came by mail."""

    token: MailToken


class Resend(Struct, frozen=True, forbid_unknown_fields=True):
    """For which address another mail is wanted; who is logged in may leave it out."""

    email: Email | None = None


class Accepted(Struct, frozen=True):
    """It will be seen to. Whether there is anything to see to, is not told."""

    status: Literal["accepted"] = "accepted"
