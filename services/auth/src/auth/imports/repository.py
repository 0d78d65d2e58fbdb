"""The SQL of imports: many accounts, their events and their notes in one statement."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.types import TypeEngine

from auth.auditing import OPERATOR
from auth.imports.schema import Entry
from auth.tables import AccountRow, AuditRow
from common.contracts.auth import UserRegistered
from common.database import Queries
from common.ids import uuid7
from common.outbox import insertion
from common.statements import unnested, word

_A = AccountRow
_TYPES: Mapping[str, TypeEngine[Any]] = {
    "id": sa.Uuid(),
    "event_id": sa.Uuid(),
    "note_id": sa.Uuid(),
    "email": sa.Text(),
    "username": sa.Text(),
    "display_name": sa.Text(),
    "password_hash": sa.Text(),
    "is_email_verified": sa.Boolean(),
    "created_at": sa.DateTime(timezone=True),
}
_NOTHING = sa.literal_column("''", sa.Text)


def _json(**members: "sa.ColumnElement[Any]") -> "sa.ColumnElement[Any]":
    pairs = [x for name, value in members.items() for x in (word(name), value)]
    return sa.func.jsonb_build_object(*pairs, type_=JSONB)


def _add() -> "sa.Select[UUID]":
    given = unnested("given", _TYPES)
    g = given.c
    columns = ("id", "email", "username", "display_name", "password_hash", "is_email_verified")
    rows = sa.select(*[g[name] for name in columns], sa.func.coalesce(g.created_at, sa.func.now()))
    added = (
        insert(_A)
        .from_select([*columns, "created_at"], rows)
        .on_conflict_do_nothing()
        .returning(_A.id)
        .cte("added")
    )
    kept = given.join(added, added.c.id == g.id)
    told = _json(userId=g.id, username=g.username, displayName=g.display_name)
    subject = sa.literal(UserRegistered.subject, sa.Text)
    events = sa.select(
        g.event_id, subject, sa.cast(g.id, sa.Text), told, _NOTHING, _NOTHING
    ).select_from(kept)
    about = _json(after=_json(username=g.username, email=g.email), imported=sa.true())
    note = {
        "id": g.note_id,
        "account_id": g.id,
        "actor_id": sa.literal(OPERATOR, sa.Uuid),
        "action": word("account.registered"),
        "address": _NOTHING,
        "user_agent": _NOTHING,
        "request_id": _NOTHING,
        "details": about,
    }
    notes = sa.insert(AuditRow).from_select(list(note), sa.select(*note.values()).select_from(kept))
    return sa.select(added.c.id).add_cte(insertion(events), notes.cte("noted"))


_ADD = _add()
_WANTED = unnested("wanted", {"email": sa.Text(), "username": sa.Text()}, ordinality="i")
_TAKEN = sa.select(
    _WANTED.c.i,
    sa.exists().where(sa.func.lower(_A.email) == sa.func.lower(_WANTED.c.email)),
    sa.exists().where(sa.func.lower(_A.username) == sa.func.lower(_WANTED.c.username)),
).order_by(_WANTED.c.i)


class Taken(msgspec.Struct, frozen=True):
    """What of an account that could not be added is another's."""

    number: int
    email: bool
    username: bool


async def add(tx: Queries, entries: Sequence[Entry]) -> list[Entry]:
    """Keep new accounts and announce them; return those whose e-mail or username is taken."""
    accounts = [entry.account for entry in entries]
    ids = [uuid7() for _ in entries]
    added = await tx.all(
        _ADD,
        _same,
        id=ids,
        event_id=[uuid7() for _ in entries],
        note_id=[uuid7() for _ in entries],
        email=[new.email for new in accounts],
        username=[new.username for new in accounts],
        display_name=[new.display_name or new.username for new in accounts],
        password_hash=[new.password_hash for new in accounts],
        is_email_verified=[new.email_verified for new in accounts],
        created_at=[new.created_at for new in accounts],
    )
    are_there = set(added)
    return [entry for entry, its in zip(entries, ids, strict=True) if its not in are_there]


def _same(account_id: UUID) -> UUID:
    return account_id


async def taken(tx: Queries, entries: Sequence[Entry]) -> list[Taken]:
    """Return for each in turn what of it is another's."""
    emails = [entry.account.email for entry in entries]
    usernames = [entry.account.username for entry in entries]
    return await tx.all(_TAKEN, Taken, email=emails, username=usernames)
