"""The SQL of tickets: statements above, the functions that run them below."""

from datetime import datetime
from uuid import UUID

import asyncpg
import sqlalchemy as sa
from sqlalchemy import bindparam

from auth.tables import AccountRow, SessionRow, TicketRow
from auth.tickets.schema import Holder
from common.database import Database

_ISSUE = (
    sa.insert(TicketRow)
    .from_select(
        ["hash", "account_id", "session_id", "expires_at"],
        sa.select(
            bindparam("hash", type_=sa.LargeBinary),
            SessionRow.account_id,
            SessionRow.id,
            sa.func.now()
            + sa.func.make_interval(0, 0, 0, 0, 0, 0, bindparam("lifetime_s", type_=sa.BigInteger)),
        ).where(
            SessionRow.id == bindparam("session_id", type_=sa.Uuid),
            SessionRow.account_id == bindparam("account_id", type_=sa.Uuid),
            SessionRow.revoked_at.is_(None),
            SessionRow.expires_at > sa.func.now(),
        ),
    )
    .returning(TicketRow.expires_at)
)
_USED = (
    sa.delete(TicketRow)
    .where(TicketRow.hash == bindparam("hash", type_=sa.LargeBinary))
    .returning(TicketRow.account_id, TicketRow.session_id, TicketRow.expires_at)
    .cte("used")
)
_REDEEM = (
    sa.select(
        _USED.c.account_id,
        _USED.c.session_id,
        AccountRow.role,
        AccountRow.username,
        AccountRow.display_name,
    )
    .join(AccountRow, AccountRow.id == _USED.c.account_id)
    .join(SessionRow, SessionRow.id == _USED.c.session_id)
    .where(
        _USED.c.expires_at > sa.func.now(),
        SessionRow.revoked_at.is_(None),
        SessionRow.expires_at > sa.func.now(),
        ~AccountRow.is_disabled,
    )
)


async def issue(
    db: Database, ticket_hash: bytes, account_id: UUID, session_id: UUID, lifetime_s: int
) -> datetime | None:
    """Keep a ticket for a live session; return when it expires."""
    try:
        return await db.one_or_none(
            _ISSUE,
            _same,
            hash=ticket_hash,
            account_id=account_id,
            session_id=session_id,
            lifetime_s=lifetime_s,
        )
    except asyncpg.ForeignKeyViolationError:
        # the account was deleted at this moment
        return None


def _same(expires_at: datetime) -> datetime:
    return expires_at


async def redeem(db: Database, ticket_hash: bytes) -> Holder | None:
    """Use a ticket up; return whose it was, if it was good."""
    return await db.one_or_none(_REDEEM, Holder, hash=ticket_hash)
