"""The SQL of signing keys: statements above, the functions that run them below."""

from datetime import datetime
from typing import Any

import asyncpg
import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import JSONB

from auth.auditing import note_deed
from auth.keys.types import SigningKey
from auth.tables import SigningKeyRow
from common.database import Database
from common.errors import UnavailableError

_K = SigningKeyRow
_GIVEN = (
    bindparam("kid", type_=sa.Text),
    bindparam("public", type_=JSONB),
    bindparam("sealed", type_=sa.LargeBinary),
)
_ALL = sa.select(
    _K.kid, _K.public, _K.sealed, _K.created_at, _K.signs_from, _K.published_until
).order_by(_K.created_at.desc(), _K.kid.desc())
_LOCK = sa.select(sa.func.pg_advisory_xact_lock(sa.literal_column("hashtext('auth.signing_key')")))
_FIRST = sa.insert(_K).from_select(
    ["kid", "public", "sealed"], sa.select(*_GIVEN).where(~sa.exists(sa.select(_K.kid)))
)


def _seconds(name: str) -> "sa.ColumnElement[Any]":
    return sa.func.make_interval(0, 0, 0, 0, 0, 0, bindparam(name, type_=sa.BigInteger))


def _rotate() -> "sa.Select[str, datetime, datetime]":
    """Add a key, and let those before it disappear once nothing they signed is good any more.

    The statement's own time counts, because the transaction's is from before the lock.
    """
    now = sa.func.statement_timestamp()
    is_young = sa.exists(sa.select(_K.kid).where(_K.signs_from > now - _seconds("age_s")))
    added = (
        sa.insert(_K)
        .from_select(
            ["kid", "public", "sealed", "created_at", "signs_from"],
            sa.select(*_GIVEN, now, now + _seconds("overlap_s")).where(
                bindparam("regardless", type_=sa.Boolean) | ~is_young
            ),
        )
        .returning(_K.kid, _K.signs_from, (_K.signs_from + _seconds("kept_s")).label("until"))
        .cte("added")
    )
    # the one that was added is not seen by this part of its own statement
    leaving = (
        sa.update(_K)
        .where(_K.published_until.is_(None) | (_K.published_until > added.c.until))
        .values(published_until=added.c.until)
        .cte("leaving")
    )
    return sa.select(added.c.kid, added.c.signs_from, added.c.until).add_cte(leaving)


_ROTATE = _rotate()
_FORGET = sa.delete(_K).where(_K.published_until < sa.func.now()).returning(_K.kid)


class Rotated(msgspec.Struct, frozen=True):
    """A key that was added, and until when those before it are published."""

    kid: str
    signs_from: datetime
    until: datetime


async def every(db: Database) -> list[SigningKey]:
    """Return the keys, the newest first; raises ``UnavailableError``."""
    try:
        return await db.all(_ALL, SigningKey)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as exc:
        raise UnavailableError from exc


async def add_first(db: Database, kid: str, public: dict[str, Any], sealed: bytes) -> None:
    """Keep a key if there is none yet; of two processes that start at once, one does."""
    async with db.transaction() as tx:
        await tx.run(_LOCK)
        await tx.run(_FIRST, kid=kid, public=public, sealed=sealed)


async def rotate(
    db: Database,
    kid: str,
    public: dict[str, Any],
    sealed: bytes,
    *,
    age_s: int | None,
    overlap_s: int,
    kept_s: int,
    deed: str = "",
) -> Rotated | None:
    """Keep a key that signs after ``overlap_s``, and end those before it ``kept_s`` after that.

    With ``age_s`` only if the newest has been signing for so long: of many replicas one does.
    An operator's ``deed`` is noted.
    """
    async with db.transaction() as tx:
        await tx.run(_LOCK)
        made = await tx.one_or_none(
            _ROTATE,
            Rotated,
            kid=kid,
            public=public,
            sealed=sealed,
            regardless=age_s is None,
            age_s=age_s or 0,
            overlap_s=overlap_s,
            kept_s=kept_s,
        )
        if made is not None and deed:
            await note_deed(tx, deed, kid=made.kid, signsFrom=made.signs_from)
        return made


async def forget(db: Database) -> list[str]:
    """Delete the keys that are not published any more; return which."""
    return await db.all(_FORGET, _same)


def _same(kid: str) -> str:
    return kid
