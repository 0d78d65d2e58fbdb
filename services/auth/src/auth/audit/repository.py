"""The SQL of the audit: statements above, the functions that run them below."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

from auth.audit.schema import AuditEntry
from auth.audit.types import Entry, Head, Note
from auth.tables import AuditRow, EntryRow
from common.database import Database, Queries
from common.statements import unnested, word

_A = AuditRow
_E = EntryRow
_NOTE = (
    _A.id,
    _A.account_id,
    _A.actor_id,
    _A.action,
    _A.address,
    _A.user_agent,
    _A.request_id,
    _A.details,
    _A.at,
)
_ADD = sa.insert(_A).values(
    {column.key: bindparam(column.key, type_=column.type) for column in _NOTE}
)
_LIMIT = bindparam("limit", type_=sa.BigInteger)
_IS_WAITING = sa.select(sa.exists(sa.select(_A.id)))
_LOCK = sa.select(sa.func.pg_advisory_xact_lock(sa.literal_column("hashtext('auth.audit')")))
_NEXT = sa.select(_A.id).order_by(_A.at, _A.id).limit(_LIMIT)
_TAKE = sa.delete(_A).where(_A.id.in_(_NEXT)).returning(*_NOTE)
_HEAD = sa.select(_E.sequence, _E.hash).order_by(_E.sequence.desc()).limit(1)
_AT = sa.select(_E.sequence, _E.hash).where(
    _E.sequence == bindparam("sequence", type_=sa.BigInteger)
)
_TYPES: Mapping[str, TypeEngine[Any]] = {
    "id": sa.Uuid(),
    "account_id": sa.Uuid(),
    "actor_id": sa.Uuid(),
    "action": sa.Text(),
    "address": sa.Text(),
    "user_agent": sa.Text(),
    "request_id": sa.Text(),
    "details": sa.Text(),
    "at": sa.DateTime(timezone=True),
    "sequence": sa.BigInteger(),
    "salt": sa.LargeBinary(),
    "personal": sa.LargeBinary(),
    "previous": sa.LargeBinary(),
    "hash": sa.LargeBinary(),
}
_GIVEN = unnested("given", _TYPES)
_APPEND = sa.insert(_E).from_select(
    list(_TYPES),
    sa.select(*[sa.cast(c, JSONB) if c.name == "details" else c for c in _GIVEN.c]),
)
_ENTRY = (
    _E.id,
    _E.account_id,
    _E.actor_id,
    _E.action,
    _E.address,
    _E.user_agent,
    _E.request_id,
    _E.details,
    _E.at,
    _E.sequence,
    _E.salt,
    _E.personal,
    _E.previous,
    _E.hash,
)
_AFTER = (
    sa.select(*_ENTRY)
    .where(_E.sequence > bindparam("after", type_=sa.BigInteger))
    .order_by(_E.sequence)
    .limit(_LIMIT)
)


def _told(row: type[AuditRow | EntryRow]) -> "sa.Select[*tuple[Any, ...]]":
    """One account's, the newest first: as many as are asked for, from either place."""
    before = bindparam("before", type_=sa.Uuid)
    action = bindparam("action", type_=sa.Text)
    # where others are when they do something is theirs
    is_other = sa.func.coalesce(row.actor_id != row.account_id, sa.false())
    return (
        sa.select(
            row.id,
            row.at,
            row.action,
            row.actor_id,
            sa.case((is_other, word("")), else_=row.address).label("address"),
            sa.case((is_other, word("")), else_=row.user_agent).label("user_agent"),
            row.request_id,
            row.details,
        )
        .where(
            row.account_id == bindparam("account_id", type_=sa.Uuid),
            before.is_(None) | (row.id < before),
            action.is_(None) | (row.action == action),
        )
        .order_by(row.id.desc())
        .limit(_LIMIT)
    )


# in one statement, so that what is moved meanwhile is seen in one of both
_BOTH = sa.union_all(_told(AuditRow).subquery().select(), _told(EntryRow).subquery().select())
_FEED = sa.select(*_BOTH.subquery("both").c).order_by(sa.text("id DESC")).limit(_LIMIT)


async def add(tx: Queries, note: Note) -> None:
    """Note something."""
    await tx.run(_ADD, **msgspec.structs.asdict(note))


async def is_waiting(db: Database) -> bool:
    """Whether there are notes that the ledger does not have yet."""
    return await db.one(_IS_WAITING, bool)


async def lock(tx: Queries) -> None:
    """Be the only one who adds to the ledger, until the transaction ends."""
    await tx.run(_LOCK)


async def take(tx: Queries, limit: int) -> list[Note]:
    """Take the oldest notes away, in their order."""
    taken = await tx.all(_TAKE, Note, limit=limit)
    return sorted(taken, key=_order)


def _order(note: Note) -> tuple[datetime, UUID]:
    return note.at, note.id


async def head(db: Queries) -> Head | None:
    """Return the ledger's last entry."""
    return await db.one_or_none(_HEAD, Head)


async def at(db: Queries, sequence: int) -> Head | None:
    """Return the entry with this number."""
    return await db.one_or_none(_AT, Head, sequence=sequence)


async def append(tx: Queries, entries: Sequence[Entry]) -> None:
    """Add entries to the ledger."""
    columns = {name: [getattr(entry, name) for entry in entries] for name in _TYPES}
    columns["details"] = [msgspec.json.encode(each).decode() for each in columns["details"]]
    await tx.run(_APPEND, **columns)


async def after(db: Queries, sequence: int, limit: int) -> list[Entry]:
    """Return the entries that follow this number."""
    return await db.all(_AFTER, Entry, after=sequence, limit=limit)


async def feed(
    db: Database, account_id: UUID, before: UUID | None, action: str | None, limit: int
) -> list[AuditEntry]:
    """Return what happened to an account before ``before``, the newest first."""
    return await db.all(
        _FEED, AuditEntry, account_id=account_id, before=before, action=action, limit=limit
    )
