"""Tickets: what a browser shows a socket, which takes no headers from it."""

from uuid import UUID

from auth.secrets import digest, fresh
from auth.settings import Settings
from auth.tickets import repository
from auth.tickets.schema import Holder, Ticket
from common.caller import Caller
from common.database import Database
from common.errors import NotFoundError, UnauthenticatedError


async def issue(db: Database, settings: Settings, caller: Caller) -> Ticket:
    """Give the caller's session a ticket."""
    if not caller.session_id:
        raise UnauthenticatedError("A ticket needs a session.")
    ticket = fresh()
    session_id = UUID(caller.session_id)
    expires_at = await repository.issue(
        db, digest(ticket), caller.user_id, session_id, settings.ticket_lifetime_s
    )
    if expires_at is None:
        raise UnauthenticatedError("The session is over: log in again.")
    return Ticket(ticket, expires_at)


async def redeem(db: Database, ticket: str) -> Holder:
    """Use a ticket up; for the fleet, not for callers."""
    holder = await repository.redeem(db, digest(ticket))
    if holder is None:
        raise NotFoundError("There is no such ticket.")
    return holder
