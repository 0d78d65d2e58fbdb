"""What mails there are."""

import asyncio
from typing import Literal
from uuid import UUID

import msgspec

from auth.secrets import Vault
from auth.settings import Settings

# what a mail's token is for, and at the same time the kind of the mail that brings it
type Purpose = Literal["verify", "reset", "change"]
# mails that only tell
type Notice = Literal[
    "email_asked",
    "email_changed",
    "password_changed",
    "password_reset",
    "identity_linked",
    "identity_unlinked",
]
WISH = "wish_"
INVITATION = "invitation"


class Postbox:
    """What mails are put in with, and what wakes whoever delivers them."""

    def __init__(self, settings: Settings, vault: Vault) -> None:
        self.settings = settings
        self.vault = vault
        self.filled = asyncio.Event()

    def lifetime_s(self, purpose: Purpose) -> int:
        """For how long a token of this purpose is good."""
        settings = self.settings
        return settings.reset_lifetime_s if purpose == "reset" else settings.verify_lifetime_s


class Source(msgspec.Struct, frozen=True):
    """The request that a mail comes from."""

    request_id: str = ""
    address: str = ""


class Letter(msgspec.Struct, frozen=True):
    """A mail before it is written: to whom, and what only this one says."""

    to: str
    username: str
    source: Source
    token: str = ""
    facts: dict[str, str] = {}
    # whether somebody has shown that they read this address's mail; where that is not said, nobody
    is_proven: bool = False


class Wish(msgspec.Struct, frozen=True):
    """Somebody asks for a mail; whether there is whom to send it to, is found out later.

    So the answer is the same for everybody, and takes the same time.
    """

    source: Source
    email: str = ""
    account_id: str = ""


def sealed_as(mail_id: UUID) -> str:
    """The name that what a mail says is sealed under."""
    return f"mail:{mail_id}"
