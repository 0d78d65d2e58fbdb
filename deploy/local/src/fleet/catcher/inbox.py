"""Mail that goes nowhere: an SMTP server that keeps what it is given, for people and tests."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTPUTF8
from typing import Self

import msgspec
from aiosmtpd.smtp import SMTP, Envelope, Session

from common.ids import uuid7
from fleet.ports import LOOPBACK

KEPT_MAX = 1_000


class Mail(msgspec.Struct, frozen=True, rename="camel"):
    """A mail as it came."""

    id: str
    to: list[str]
    sender: str
    subject: str
    headers: dict[str, str]
    text: str
    html: str
    received_at: datetime

    @classmethod
    def of(cls, sender: str, to: list[str], source: bytes) -> Self:
        """Read what was sent."""
        message = message_from_bytes(source, EmailMessage, policy=SMTPUTF8)
        return cls(
            id=str(uuid7()),
            to=to,
            sender=sender,
            subject=str(message["Subject"]),
            headers={name: str(value) for name, value in message.items()},
            text=_part(message, "plain"),
            html=_part(message, "html"),
            received_at=datetime.now(UTC),
        )


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return str(part.get_content()) if part is not None else ""


class Inbox:
    """The mails that came last, the newest first."""

    def __init__(self) -> None:
        self._mails: deque[Mail] = deque(maxlen=KEPT_MAX)

    def all(self, to: str = "") -> list[Mail]:
        """Return the mails to an address, or to anybody."""
        wanted = to.lower()
        mails = list(self._mails)
        return [mail for mail in mails if not to or wanted in map(str.lower, mail.to)]

    def one(self, mail_id: str) -> Mail | None:
        """Return one mail."""
        return next((mail for mail in self.all() if mail.id == mail_id), None)

    def empty(self) -> None:
        """Forget them all."""
        self._mails.clear()

    def keep(self, mail: Mail) -> None:
        """Take a mail."""
        self._mails.appendleft(mail)

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd calls it
        """Take a mail from the server."""
        content = envelope.original_content or b""
        self.keep(Mail.of(envelope.mail_from or "", list(envelope.rcpt_tos), content))
        return "250 OK"


@asynccontextmanager
async def listening(handler: object, port: int) -> AsyncGenerator[int]:
    """Take mails for ``handler`` on this machine's own address; gives the port."""
    loop = asyncio.get_running_loop()

    def connected() -> SMTP:
        # it knows its name without asking anybody, and any address that a mail may have
        return SMTP(handler, hostname="localhost", ident="mail", enable_SMTPUTF8=True, loop=loop)

    server = await loop.create_server(connected, LOOPBACK, port)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        server.abort_clients()
        await server.wait_closed()
