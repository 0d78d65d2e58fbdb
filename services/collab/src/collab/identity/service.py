"""Who is on a socket: by a ticket, by a token in the query, or by a token in the first message."""

import asyncio
import time
from typing import Literal
from urllib.parse import quote
from uuid import UUID

import msgspec

from collab.identity.tokens import Tokens
from collab.identity.types import Identity
from collab.settings import Settings
from collab.sockets.connection import Socket
from collab.sockets.target import Target
from common.errors import NotFoundError, UnauthenticatedError
from common.outgoing import Peer

OVER = "The session is over: log in again."


class AuthMessage(msgspec.Struct, frozen=True, rename="camel"):
    """The first message of a socket that brought no credentials in its address."""

    type: Literal["auth"]
    access_token: str


class Redeemed(msgspec.Struct, frozen=True, rename="camel"):
    """Whom a ticket was for."""

    user_id: UUID
    session_id: str
    role: str = "user"


class Liveness(msgspec.Struct, frozen=True, rename="camel"):
    """Whether a session goes on."""

    is_live: bool


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
                data = await socket.inbox.first()
        except TimeoutError:
            raise LateError from None
        try:
            message = msgspec.json.decode(data, type=AuthMessage)
        except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
            raise UnauthenticatedError("Say first who you are.") from exc
        return await self.verify(message.access_token)

    async def verify(self, access_token: str) -> Identity:
        """Return whom a token speaks for; raises ``UnauthenticatedError`` or ``UnavailableError``.

        Auth is asked: a session may be over before its token, unheard of by this process.
        """
        identity = await self._tokens.verify(access_token)
        if not await self.is_live(identity.session_id):
            raise UnauthenticatedError(OVER)
        return identity

    async def is_live(self, session_id: str) -> bool:
        """Return whether a session goes on; raises ``UnavailableError``."""
        try:
            path = f"/internal/sessions/{quote(session_id, safe='')}"
            return (await self._auth.get(path, Liveness)).is_live
        except NotFoundError:
            # an auth service of before this question: the token has to do
            return True

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
