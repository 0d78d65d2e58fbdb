"""The SQL of sessions that are over: one statement, which costs little when nothing is new."""

from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import ARRAY

from auth.tables import SessionRow
from common.database import Database
from common.errors import UnavailableError
from common.statements import word

_S = SessionRow


def _micros(at: "sa.SQLColumnExpression[Any]") -> sa.ColumnElement[int]:
    return sa.cast(sa.extract("epoch", at) * 1_000_000, sa.BigInteger)


def _read() -> "sa.Select[int, str, list[str] | None]":
    """Read when it is now, the list's mark, and the list unless the mark is the one that is known.

    The list is the same for a whole minute unless a session ends: those that are on it for long
    enough leave it together. ``now()`` is before the statement's snapshot, never after it.
    """
    kept = sa.func.make_interval(0, 0, 0, 0, 0, 0, bindparam("kept_s", type_=sa.BigInteger))
    is_recent = _S.revoked_at > sa.func.date_trunc(word("minute"), sa.func.now() - kept)
    total = sa.func.coalesce(sa.func.sum(_micros(_S.revoked_at)), 0)
    mark = sa.func.concat(sa.func.count(), word("-"), total, type_=sa.Text)
    state = sa.select(mark.label("mark")).where(is_recent).subquery("state")
    ids = sa.func.array_agg(sa.cast(_S.id, sa.Text), type_=ARRAY(sa.Text))
    nothing = sa.cast(sa.literal_column("'{}'"), ARRAY(sa.Text))
    every = sa.select(sa.func.coalesce(ids, nothing)).where(is_recent).scalar_subquery()
    is_known = state.c.mark == bindparam("known", type_=sa.Text)
    return sa.select(_micros(sa.func.now()), state.c.mark, sa.case((~is_known, every)))


_READ = _read()
_IS_LIVE = sa.select(
    sa.exists().where(
        _S.id == bindparam("session_id", type_=sa.Uuid),
        _S.revoked_at.is_(None),
        _S.expires_at > sa.func.now(),
    )
)


class Reading(msgspec.Struct, frozen=True):
    """What the list is now; ``session_ids`` only where that is not known."""

    read_at: int
    mark: str
    session_ids: list[str] | None


async def is_live(db: Database, session_id: UUID) -> bool:
    """Return whether a session goes on."""
    return await db.one(_IS_LIVE, bool, session_id=session_id)


async def read(db: Database, kept_s: int, known: str) -> Reading:
    """Look which sessions were ended lately; raises ``UnavailableError``."""
    try:
        return await db.one(_READ, Reading, kept_s=kept_s, known=known)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as exc:
        raise UnavailableError from exc
