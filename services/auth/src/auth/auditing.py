"""What happened to an account's security is noted by the statement that lets it happen."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import JSONB

from auth.tables import AuditRow
from common import exchange
from common.database import Queries
from common.ids import uuid7
from common.statements import word

# who acts by command has no account: this id is nobody's
OPERATOR = UUID(int=0)
_AGENT_CHARS_MAX = 400
_COLUMNS = [
    "id",
    "account_id",
    "actor_id",
    "action",
    "address",
    "user_agent",
    "request_id",
    "details",
]


def _given(
    name: str, account: "sa.ColumnElement[Any]", details: "sa.ColumnElement[Any]"
) -> list[Any]:
    return [
        bindparam(f"{name}_id", type_=sa.Uuid),
        account,
        bindparam(f"{name}_actor", type_=sa.Uuid),
        bindparam(f"{name}_action", type_=sa.Text),
        bindparam(f"{name}_address", type_=sa.Text),
        bindparam(f"{name}_agent", type_=sa.Text),
        bindparam(f"{name}_request", type_=sa.Text),
        details,
    ]


def noting(
    name: str = "audit",
    /,
    *,
    account: str = "",
    differ: tuple[str, str] | None = None,
    **facts: str,
) -> Callable[[sa.CTE], sa.CTE]:
    """Make the part of an ``announcing`` statement that writes its note, from ``noted(...)``.

    No row, no note; one note however many rows. ``facts`` adds to its details what only the row
    knows: the member (as it is spelt in JSON) = the returned column's name. Where only the row
    knows whose account it is, ``account`` is the column's name. With ``differ`` there is no
    note either where these two of the row's columns are alike. Of two notes in one statement the
    second has a ``name`` of its own.
    """

    def insert(written: sa.CTE) -> sa.CTE:
        found = sa.select(written).limit(1)
        if differ:
            one, other = differ
            found = found.where(written.c[one] != written.c[other])
        first = found.subquery("audited")
        details: sa.ColumnElement[Any] = sa.cast(bindparam(f"{name}_details", type_=sa.Text), JSONB)
        if facts:
            pairs = [x for name, column in facts.items() for x in (word(name), first.c[column])]
            details = details.op("||", return_type=JSONB())(sa.func.jsonb_build_object(*pairs))
        whose = first.c[account] if account else bindparam(f"{name}_account", type_=sa.Uuid)
        rows = sa.select(*_given(name, whose, details)).select_from(first)
        return sa.insert(AuditRow).from_select(_COLUMNS, rows).cte(f"{name}_noted")

    return insert


def noted(
    action: str,
    account_id: UUID | None,
    actor_id: UUID | None,
    name: str = "audit",
    /,
    **details: object,
) -> dict[str, Any]:
    """Give the parameters of a note: ``action`` happened to the account, by the actor.

    Address, user agent and request id are those of the request that is being handled.
    """
    now = exchange.current()
    headers = (now.headers if now else None) or {}
    agent = headers.get(b"user-agent", b"").decode("utf-8", "replace").replace("\0", "")
    return {
        f"{name}_id": uuid7(),
        f"{name}_account": account_id,
        f"{name}_actor": actor_id,
        f"{name}_action": action,
        f"{name}_address": headers.get(b"x-envoy-external-address", b"").decode("latin-1"),
        f"{name}_agent": agent[:_AGENT_CHARS_MAX],
        f"{name}_request": now.request_id if now else "",
        f"{name}_details": msgspec.json.encode(details).decode(),
    }


_NOTE = sa.insert(AuditRow).from_select(
    _COLUMNS,
    sa.select(
        *_given(
            "audit",
            bindparam("audit_account", type_=sa.Uuid),
            sa.cast(bindparam("audit_details", type_=sa.Text), JSONB),
        )
    ),
)


async def note(
    db: Queries, action: str, account_id: UUID, actor_id: UUID | None, **details: object
) -> None:
    """Note what happened beside other statements, or alone: an attempt that failed."""
    await db.run(_NOTE, **noted(action, account_id, actor_id, **details))


async def note_deed(db: Queries, action: str, **details: object) -> None:
    """Note what an operator did to the service itself: it is under the id of no account."""
    await note(db, action, OPERATOR, OPERATOR, **details)
