"""The SQL of administration: statements above, the functions that run them below."""

from functools import cache
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.orm import aliased

from auth.admin.schema import Account
from auth.tables import AccountRow, SessionRow
from common.answers import Window
from common.database import Database, Queries
from common.statements import document, encoded, instant, word

_A = AccountRow
_SORTS = {
    "createdAt": _A.created_at,
    "email": sa.func.lower(_A.email),
    "username": sa.func.lower(_A.username),
}
_CALLER = bindparam("caller_id", type_=sa.Uuid)
_ADMIN = aliased(_A)
_IS_ADMIN = sa.select(
    sa.exists().where(_ADMIN.id == _CALLER, _ADMIN.role == word("admin"), ~_ADMIN.is_disabled)
).scalar_subquery()
_LAST_SEEN = (
    sa.select(sa.func.max(SessionRow.last_seen_at))
    .where(SessionRow.account_id == _A.id)
    .correlate(_A)
    .scalar_subquery()
)
_DOCUMENT = document(
    id=_A.id,
    email=_A.email,
    username=_A.username,
    displayName=_A.display_name,
    avatarUrl=_A.avatar_url,
    role=_A.role,
    emailVerified=_A.is_email_verified,
    disabled=_A.is_disabled,
    createdAt=instant(_A.created_at),
    updatedAt=instant(_A.updated_at),
    lastSeenAt=instant(_LAST_SEEN),
)


@cache
def _list(sort: str) -> "sa.Select[*tuple[bool, int, bytes]]":
    order: sa.ColumnElement[Any] = sa.type_coerce(_SORTS[sort.removeprefix("-")], sa.Text)
    direction = order.desc() if sort.startswith("-") else order.asc()
    pattern = bindparam("pattern", type_=sa.Text)
    is_meant = _A.username.ilike(pattern, escape="\\") | _A.email.ilike(pattern, escape="\\")
    found = sa.select(_A.id).where(is_meant, _IS_ADMIN)
    page = (
        found.add_columns(sa.func.row_number().over(order_by=(direction, _A.id)).label("n"))
        .order_by(direction, _A.id)
        .limit(bindparam("limit", type_=sa.BigInteger))
        .offset(bindparam("offset", type_=sa.BigInteger))
        .subquery("page")
    )
    told = (
        sa.select(_DOCUMENT.label("item"), page.c.n).join(page, page.c.id == _A.id).subquery("told")
    )
    items = sa.func.coalesce(
        sa.select(sa.func.json_agg(sa.text("item ORDER BY n"))).select_from(told).scalar_subquery(),
        sa.literal_column("'[]'::json"),
    )
    total = sa.select(sa.func.count()).select_from(found.subquery()).scalar_subquery()
    return sa.select(_IS_ADMIN, total, encoded(items))


# in one order, so that two who change each other do not wait for one another for ever
_HOLD = (
    sa.select(_A.id, _A.role, _A.is_disabled)
    .where((_A.id == _CALLER) | (_A.id == bindparam("account_id", type_=sa.Uuid)))
    .order_by(_A.id)
    .with_for_update(key_share=True)
)
_CHANGE = (
    sa.update(_A)
    .where(_A.id == bindparam("account_id", type_=sa.Uuid))
    .values(
        role=bindparam("new_role", type_=sa.Text),
        is_disabled=bindparam("new_disabled", type_=sa.Boolean),
        updated_at=sa.func.now(),
    )
)
_SHOW = sa.select(
    _A.id,
    _A.email,
    _A.username,
    _A.display_name,
    _A.avatar_url,
    _A.role,
    _A.is_email_verified,
    _A.is_disabled,
    _A.created_at,
    _A.updated_at,
    _LAST_SEEN,
).where(_A.id == bindparam("account_id", type_=sa.Uuid))


class Listed(msgspec.Struct, frozen=True):
    """A page of accounts as JSON, and how many there are; for an administrator alone."""

    is_admin: bool
    total: int
    items: bytes


class Held(msgspec.Struct, frozen=True):
    """An account that this transaction holds."""

    id: UUID
    role: str
    is_disabled: bool

    @property
    def is_admin(self) -> bool:
        """Whether it may do what administrators may."""
        return self.role == "admin" and not self.is_disabled


async def listed(db: Database, caller_id: UUID, pattern: str, wanted: Window) -> Listed:
    """Return a page of the accounts whose username or e-mail fits the pattern."""
    return await db.one(
        _list(wanted.sort),
        Listed,
        caller_id=caller_id,
        pattern=pattern,
        limit=wanted.limit,
        offset=wanted.offset,
    )


async def hold(tx: Queries, caller_id: UUID, account_id: UUID) -> dict[UUID, Held]:
    """Hold both accounts until the transaction ends, as far as they are there."""
    found = await tx.all(_HOLD, Held, caller_id=caller_id, account_id=account_id)
    return {one.id: one for one in found}


async def change(tx: Queries, account_id: UUID, role: str, *, is_disabled: bool) -> None:
    """Change an account that this transaction holds."""
    await tx.run(_CHANGE, account_id=account_id, new_role=role, new_disabled=is_disabled)


async def show(tx: Queries, account_id: UUID) -> Account:
    """Return an account that this transaction holds."""
    return await tx.one(_SHOW, Account, account_id=account_id)
