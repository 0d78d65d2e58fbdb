"""The SQL of signing keys: statements above, the functions that run them below."""

from datetime import datetime
from typing import Any

import asyncpg
import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import JSONB

from auth.tables import SigningKeyRow
from common.database import Database
from common.errors import UnavailableError

_ALL = sa.select(
    SigningKeyRow.kid, SigningKeyRow.public, SigningKeyRow.sealed, SigningKeyRow.created_at
).order_by(SigningKeyRow.created_at.desc())
_LOCK = sa.select(sa.func.pg_advisory_xact_lock(sa.literal_column("hashtext('auth.signing_key')")))
_FIRST = sa.insert(SigningKeyRow).from_select(
    ["kid", "public", "sealed"],
    sa.select(
        bindparam("kid", type_=sa.Text),
        bindparam("public", type_=JSONB),
        bindparam("sealed", type_=sa.LargeBinary),
    ).where(~sa.exists(sa.select(SigningKeyRow.kid))),
)


class SigningKey(msgspec.Struct, frozen=True):
    """A key as it is kept."""

    kid: str
    public: dict[str, Any]
    sealed: bytes
    created_at: datetime


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
