"""The SQL of sweeping: for each table what is over, and one statement that deletes some of it."""

from collections.abc import Mapping
from typing import Any

import asyncpg
import sqlalchemy as sa
from sqlalchemy import bindparam

from auth.tables import (
    FlowRow,
    LoginFailureRow,
    MailTokenRow,
    RecipientRow,
    RefreshTokenRow,
    SessionRow,
    Tables,
    TicketRow,
)
from common.database import Database
from common.errors import UnavailableError

_S = SessionRow
_T = RefreshTokenRow


def _ago(seconds: str) -> "sa.ColumnElement[Any]":
    given = bindparam(seconds, type_=sa.BigInteger)
    return sa.func.now() - sa.func.make_interval(0, 0, 0, 0, 0, 0, given)


_ROWS_MAX = bindparam("rows_max", type_=sa.BigInteger)
_KEPT_FROM = _ago("sessions_kept_s")
_IS_DUE = (_S.revoked_at < _KEPT_FROM) | (_S.expires_at < _KEPT_FROM)


def _sweep(row: type[Tables], is_over: "sa.ColumnElement[bool]") -> "sa.Select[int]":
    """Delete some rows that are over, but none that somebody else has in hand; count them."""
    found = sa.select(*sa.inspect(row).primary_key).where(is_over).limit(_ROWS_MAX)
    return _deletion(row, found.with_for_update(skip_locked=True).cte("doomed"))


def _sweep_tokens() -> "sa.Select[int]":
    """Delete some refresh tokens of sessions that are over.

    Of one that goes on all are kept: one that comes back must be known as used before. Looked at
    are sessions that ended lately; what was missed then goes when its session goes.
    """
    its = (
        sa.select(_T.hash)
        .where(_T.session_id == _S.id)
        .limit(_ROWS_MAX)
        .with_for_update(skip_locked=True)
        .lateral("its")
    )
    is_over = (
        (_S.revoked_at > _ago("over_kept_s"))
        | _S.expires_at.between(_ago("over_kept_s"), sa.func.now())
        | _IS_DUE
    )
    found = sa.select(its.c.hash).select_from(_S).join(its, sa.true()).where(is_over)
    return _deletion(_T, found.limit(_ROWS_MAX).cte("doomed"))


def _deletion(row: type[Tables], doomed: sa.CTE) -> "sa.Select[int]":
    key = sa.tuple_(*sa.inspect(row).primary_key)
    gone = sa.delete(row).where(key.in_(sa.select(*doomed.c))).returning(sa.literal(1)).cte("gone")
    return sa.select(sa.func.count()).select_from(gone)


# in this order: with many tokens to delete along, one session would be too much for a statement
_SWEEPS: Mapping[str, "sa.Select[int]"] = {
    "refresh_token": _sweep_tokens(),
    "ticket": _sweep(TicketRow, TicketRow.expires_at < _ago("over_kept_s")),
    "session": _sweep(_S, _IS_DUE & ~sa.exists(sa.select(_T.hash).where(_T.session_id == _S.id))),
    "flow": _sweep(FlowRow, FlowRow.expires_at < _ago("over_kept_s")),
    "mail_token": _sweep(MailTokenRow, MailTokenRow.expires_at < _ago("over_kept_s")),
    "recipient": _sweep(RecipientRow, RecipientRow.counted_from < _ago("over_kept_s")),
    "login_failure": _sweep(LoginFailureRow, LoginFailureRow.last_at < _ago("failures_kept_s")),
}
TABLES = tuple(_SWEEPS)


async def sweep(db: Database, table: str, **limits: int) -> int:
    """Delete some of what is over in a table; return how many rows. ``UnavailableError``."""
    try:
        return await db.one(_SWEEPS[table], int, **limits)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as exc:
        raise UnavailableError from exc
