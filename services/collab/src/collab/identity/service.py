"""Who is on a socket: by a ticket, by a token in the query, or by a token in the first message."""

import asyncio
import time
from typing import Literal
from uuid import UUID

import msgspec

from collab.identity.tokens import Tokens
from collab.identity.types import Identity
from collab.settings import Settings
from collab.sockets.connection import Socket
from collab.sockets.target import Target
from common.errors import NotFoundError, UnauthenticatedError
from common.outgoing import Peer


class AuthMessage(msgspec.Struct, frozen=True, rename="camel"):
    """The first message of a socket that brought no credentials in its address."""

    type: Literal["auth"]
    access_token: str


class Redeemed(msgspec.Struct, frozen=True, rename="camel"):
    """Whom a ticket was for."""

    user_id: UUID
    session_id: str
    role: str = "user"


class LateError(Exception):
    """No credentials came in time."""


class Doorman:
    """Turns credentials into an identity."""

    def __init__(self, settings: Settings, auth: Peer) -> None:
        self._settings = settings
        self._auth = auth
        self._tokens = Tokens(settings, auth)

    async def identify(self, socket: Socket) -> Identity:
        """Raises ``UnauthenticatedError`` or ``LateError``, or ``UnavailableError``."""
        target: Target = socket.target
        if target.ticket:
            return await self._redeem(target.ticket)
        if target.access_token:
            return await self.verify(target.access_token)
        try:
            async with asyncio.timeout(self._settings.auth_wait_s):
                data = await socket.first()
        except TimeoutError:
            raise LateError from None
        try:
            message = msgspec.json.decode(data, type=AuthMessage)
        except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
            raise UnauthenticatedError("Say first who you are.") from exc
        return await self.verify(message.access_token)

    async def verify(self, access_token: str) -> Identity:
        """Return whom a token speaks for; raises ``UnauthenticatedError``."""
        return await self._tokens.verify(access_token)

    async def _redeem(self, ticket: str) -> Identity:
        if len(ticket) > self._settings.ticket_chars_max:
            raise UnauthenticatedError("This is no ticket.")
        try:
            found = await self._auth.post(
                "/internal/ws-tickets/redeem", {"ticket": ticket}, Redeemed
            )
        except NotFoundError as exc:
            raise UnauthenticatedError("The ticket is not valid any more.") from exc
        expires_at = time.time() + self._settings.ticket_session_s
        return Identity(found.user_id, found.session_id, found.role, expires_at)
