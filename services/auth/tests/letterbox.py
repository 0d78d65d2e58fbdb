"""A mail server for the tests of the service: what it takes, and what it is told to refuse."""

import asyncio
import re
import time
from contextlib import AsyncExitStack
from typing import override

import sqlalchemy as sa
from aiosmtpd.smtp import SMTP, Envelope, Session
from services.auth.tests.desk import Desk

from fleet.catcher.inbox import Inbox, Mail, listening

_DEADLINE_S = 20.0
_LOOK_S = 0.02
_TOKEN = re.compile(r"This is the token:\s+(\S+)")


class Letterbox(Inbox):
    """An inbox that can be away, slow, or refuse."""

    def __init__(self) -> None:
        super().__init__()
        self.port = 0
        # what is answered to a recipient, and to a mail, instead of taking it
        self.refused: dict[str, str] = {}
        self.spurned: dict[str, str] = {}
        # who is only taken after this
        self.patience: dict[str, asyncio.Event] = {}
        # everybody for whom a mail was begun
        self.tried: list[str] = []
        self._open: AsyncExitStack | None = None

    async def open(self) -> None:
        """Listen, on the same port every time."""
        self._open = AsyncExitStack()
        self.port = await self._open.enter_async_context(listening(self, self.port))

    async def close(self) -> None:
        """Be away."""
        if self._open is not None:
            await self._open.aclose()
            self._open = None

    async def handle_RCPT(  # noqa: N802 - aiosmtpd calls it
        self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]
    ) -> str:
        """Take a recipient, or not."""
        self.tried.append(address)
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    @override
    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        (to,) = envelope.rcpt_tos
        if to in self.spurned:
            return self.spurned[to]
        if to in self.patience:
            await self.patience[to].wait()
        return await super().handle_DATA(server, session, envelope)

    async def came(self, to: str, subject: str, count: int = 1) -> Mail:
        """Wait for a mail; return the newest of its subject."""
        deadline = time.monotonic() + _DEADLINE_S
        while time.monotonic() < deadline:
            found = self.about(to, subject)
            if len(found) >= count:
                return found[0]
            await asyncio.sleep(_LOOK_S)
        raise AssertionError(f"No mail for {to}: {subject}.")

    def about(self, to: str, subject: str) -> list[Mail]:
        """The mails to somebody whose subject has these words, the newest first."""
        return [mail for mail in self.all(to) if subject in mail.subject]

    async def token(self, to: str, subject: str, count: int = 1) -> str:
        """Wait for a mail and take the token out of it."""
        return token(await self.came(to, subject, count))


def token(mail: Mail) -> str:
    """The token that a mail brings."""
    found = _TOKEN.search(mail.text)
    assert found is not None, mail.text
    return found[1]


async def settled(desk: Desk) -> None:
    """Wait until all that was put in so far was dealt with, and what came of that too."""
    for _ in range(2):
        until = await desk.one("SELECT now() AS value", sa.DateTime(timezone=True))
        deadline = time.monotonic() + _DEADLINE_S
        left = "SELECT count(*) AS value FROM mail WHERE created_at <= :until"
        while await desk.one(left, sa.BigInteger(), until=until):
            assert time.monotonic() < deadline, "There are mails that nobody sends."
            await asyncio.sleep(_LOOK_S)
