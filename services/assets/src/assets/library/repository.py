"""The SQL of the library: statements above, the functions that run them below."""

from functools import cache
from typing import Any
from uuid import UUID

import asyncpg
import sqlalchemy as sa
from sqlalchemy import bindparam

from assets.permissions import WRITERS
from assets.tables import STORED, AssetRow
from assets.types import Stored
from common.access import AccessRow, permits, role_of
from common.answers import Window
from common.contracts.base import Event
from common.database import Database
from common.errors import ConflictError
from common.outbox import announced, announcing

_A = AssetRow
_USER = bindparam("user_id", type_=sa.Text)
_PROJECT = bindparam("project_id", type_=sa.Uuid)
_ID = bindparam("asset_id", type_=sa.Uuid)
_OWNED = AccessRow.resource_id == _A.project_id

SORTS = {
    "name": _A.name_key,
    "type": _A.type,
    "size": _A.size,
    "createdAt": _A.created_at,
    "updatedAt": _A.updated_at,
}


class Listed(Stored, frozen=True):
    """An asset of a page, and how many there are in all."""

    total: int


class Seen(Stored, frozen=True):
    """An asset, and the caller's role in its project (NULL: reads as public)."""

    role: str | None


@cache
def _list(sort: str) -> "sa.Select[*tuple[Any, ...]]":
    field = SORTS[sort.removeprefix("-")]
    order = field.desc() if sort.startswith("-") else field.asc()
    kind = bindparam("kind", type_=sa.Text)
    return (
        sa.select(*STORED, sa.func.count().over())
        .join(AccessRow, _OWNED)
        .where(
            _A.project_id == _PROJECT,
            permits(_USER),
            kind.is_(None) | (_A.type == kind),
            sa.func.strpos(_A.name_key, bindparam("query", type_=sa.Text)) > 0,
        )
        .order_by(order, _A.id)
        .limit(bindparam("limit", type_=sa.BigInteger))
        .offset(bindparam("offset", type_=sa.BigInteger))
    )


_SEEN = (
    sa.select(*STORED, role_of(_USER)).join(AccessRow, _OWNED).where(_A.id == _ID, permits(_USER))
)
_ALL = sa.select(*STORED).where(_A.project_id == _PROJECT).order_by(_A.name_key)
_UPDATE = announcing(
    sa.update(_A)
    .where(
        _A.id == _ID,
        _A.revision == bindparam("seen", type_=sa.BigInteger),
        _OWNED,
        permits(_USER, *WRITERS),
    )
    .values(
        name=bindparam("name", type_=sa.Text),
        name_key=bindparam("name_key", type_=sa.Text),
        type=bindparam("kind", type_=sa.Text),
        revision=_A.revision + 1,
        updated_at=sa.func.now(),
    )
    .returning(*STORED)
)
_DELETE = announcing(
    sa.delete(_A)
    .where(
        _A.id == _ID,
        _A.revision == bindparam("seen", type_=sa.BigInteger),
        _OWNED,
        permits(_USER, *WRITERS),
    )
    .returning(_A.id)
)


async def listed(
    db: Database, project_id: UUID, user_id: UUID, kind: str | None, query: str, wanted: Window
) -> list[Listed]:
    """Return one page of what the user may see of the project."""
    return await db.all(
        _list(wanted.sort),
        Listed,
        project_id=project_id,
        user_id=str(user_id),
        kind=kind,
        query=query,
        limit=wanted.limit,
        offset=wanted.offset,
    )


async def seen(db: Database, asset_id: UUID, user_id: UUID) -> Seen | None:
    """Return the asset, if the user may see it."""
    return await db.one_or_none(_SEEN, Seen, asset_id=asset_id, user_id=str(user_id))


async def all_of(db: Database, project_id: UUID) -> list[Stored]:
    """Return every asset of a project, whoever asks."""
    return await db.all(_ALL, Stored, project_id=project_id)


async def update(
    db: Database,
    asset: Stored,
    user_id: UUID,
    *,
    name: str,
    name_key: str,
    kind: str,
    event: Event,
) -> Stored | None:
    """Change the asset and announce it, unless it changed since it was seen.

    Raises ``ConflictError`` where another asset of the project has the name.
    """
    try:
        return await db.one_or_none(
            _UPDATE,
            Stored,
            asset_id=asset.id,
            seen=asset.revision,
            user_id=str(user_id),
            name=name,
            name_key=name_key,
            kind=kind,
            **announced(event, asset.project_id),
        )
    except asyncpg.UniqueViolationError as exc:
        raise ConflictError("Another asset has this name.", {"field": "name"}) from exc


async def delete(db: Database, asset: Stored, user_id: UUID, event: Event) -> bool:
    """Remove the asset and announce it; false where it changed since it was seen."""
    gone = await db.one_or_none(
        _DELETE,
        _same,
        asset_id=asset.id,
        seen=asset.revision,
        user_id=str(user_id),
        **announced(event, asset.project_id),
    )
    return gone is not None


def _same(asset_id: UUID) -> UUID:
    return asset_id
