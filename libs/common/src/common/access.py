"""A replica of another service's word on who may do what: it repeats, and never decides.

The owner announces a snapshot with a version; the newest is kept, one row for each resource. What
was never heard of is asked for once.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, mapped_column

from common.contracts.access import Access
from common.database import Queries
from common.errors import NotFoundError
from common.outbox import Tables
from common.statements import one_of

__all__ = [
    "Access",
    "AccessRow",
    "Ask",
    "Standing",
    "learn",
    "permits",
    "role_of",
    "role_on",
    "standing",
]


class AccessRow(Tables):
    """What was last heard about a resource."""

    __tablename__ = "access"

    resource_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    is_public: Mapped[bool]
    is_deleted: Mapped[bool]
    roles: Mapped[dict[str, Any]]
    learned_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())


_NEW = insert(AccessRow).values(
    resource_id=sa.bindparam("resource_id", type_=sa.Uuid),
    version=sa.bindparam("version", type_=sa.BigInteger),
    is_public=sa.bindparam("is_public", type_=sa.Boolean),
    is_deleted=sa.bindparam("is_deleted", type_=sa.Boolean),
    roles=sa.bindparam("roles", type_=JSONB),
)
_LEARN = _NEW.on_conflict_do_update(
    index_elements=[AccessRow.resource_id],
    set_={
        name: _NEW.excluded[name]
        for name in ("version", "is_public", "is_deleted", "roles", "learned_at")
    },
    where=AccessRow.version < _NEW.excluded.version,
)
_ROLE = sa.select(
    AccessRow.is_deleted,
    AccessRow.is_public,
    AccessRow.roles[sa.bindparam("user_id", type_=sa.Text)].astext,
).where(AccessRow.resource_id == sa.bindparam("resource_id", type_=sa.Uuid))


def role_of(user: "sa.ColumnElement[Any]") -> "sa.ColumnElement[Any]":
    """The role of ``user`` (a text expression) on the row's resource; NULL where there is none."""
    return cast("sa.ColumnElement[Any]", AccessRow.roles[user].astext)


def permits(user: "sa.ColumnElement[Any]", *roles: str) -> "sa.ColumnElement[bool]":
    """A predicate on ``AccessRow``: the user has one of ``roles``; reading is open if public."""
    allowed = (
        one_of(role_of(user), *roles) if roles else role_of(user).is_not(None) | AccessRow.is_public
    )
    return sa.and_(~AccessRow.is_deleted, allowed)


async def learn(db: Queries, access: Access) -> None:
    """Keep ``access`` unless something newer is known."""
    await db.run(_LEARN, **msgspec.structs.asdict(access))


class Standing(msgspec.Struct, frozen=True):
    """How somebody stands to a resource."""

    is_deleted: bool
    is_public: bool
    role: str | None


async def standing(db: Queries, resource_id: UUID, user_id: UUID) -> Standing | None:
    """Return how the user stands to the resource; ``None`` where it was never heard of."""
    return await db.one_or_none(_ROLE, Standing, resource_id=resource_id, user_id=str(user_id))


type Ask = Callable[[UUID], Awaitable[Access | None]]


async def role_on(db: Queries, ask: Ask, resource_id: UUID, user_id: UUID) -> str:
    """Return the user's role, asking the owner about a resource never heard of.

    ``viewer`` for anybody on what is public. Raises ``NotFoundError`` for who may not know of it.
    """
    known = await standing(db, resource_id, user_id)
    if known is None:
        access = await ask(resource_id)
        if access is not None:
            await learn(db, access)
            known = await standing(db, resource_id, user_id)
    if known is not None and not known.is_deleted:
        role = known.role or ("viewer" if known.is_public else None)
        if role is not None:
            return role
    raise NotFoundError("There is no such thing.")
