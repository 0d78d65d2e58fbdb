"""The SQL of the library: statements above, the functions that run them below."""

from functools import cache
from typing import Any
from uuid import UUID

import asyncpg
import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by

from assets.library.types import SAME_PICTURE, Seen, Shrunk
from assets.made_tables import VariantRow
from assets.permissions import WRITERS
from assets.tables import HAS_THUMBNAIL, STORED, AssetRow, AssetVersionRow
from assets.types import Stored
from common.access import AccessRow, permits, role_of
from common.answers import Window
from common.contracts.base import Event
from common.database import Database, Queries
from common.errors import ConflictError
from common.outbox import announced, announcing

_A, _V, _M = AssetRow, AssetVersionRow, VariantRow
_USER = bindparam("user_id", type_=sa.Text)
_PROJECT = bindparam("project_id", type_=sa.Uuid)
_ID = bindparam("asset_id", type_=sa.Uuid)
_OWNED = AccessRow.resource_id == _A.project_id
_IS_THERE = _A.deleted_at.is_(None)
# what of an asset is a version's
_VERSIONED: dict[Any, Any] = {
    _A.size: _V.size,
    _A.mime_type: _V.mime_type,
    _A.sha256: _V.sha256,
    _A.version: _V.version,
    _A.facts: _V.facts,
    # the thumbnail is of what the asset is now
    HAS_THUMBNAIL: sa.and_(HAS_THUMBNAIL.element, _V.version == _A.version),
}

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
            _IS_THERE,
            permits(_USER),
            kind.is_(None) | (_A.type == kind),
            sa.func.strpos(_A.name_key, bindparam("query", type_=sa.Text)) > 0,
        )
        .order_by(order, _A.id)
        .limit(bindparam("limit", type_=sa.BigInteger))
        .offset(bindparam("offset", type_=sa.BigInteger))
    )


def _seen(columns: Any) -> "sa.Select[*tuple[Any, ...]]":  # noqa: ANN401 - the columns of ``Stored``
    return (
        sa.select(*columns, role_of(_USER))
        .join(AccessRow, _OWNED)
        .where(_A.id == _ID, permits(_USER))
    )


_SEEN = _seen(STORED).where(_IS_THERE)
_SEEN_DELETED = _seen(STORED).where(~_IS_THERE)
_SEEN_AS = (
    _seen([_VERSIONED.get(column, column) for column in STORED])
    .join(_V, (_V.asset_id == _A.id) & (_V.version == bindparam("version", type_=sa.BigInteger)))
    .where(_IS_THERE)
)
_SHRUNK = sa.func.jsonb_build_array(_M.options, _M.sha256, _M.size, _M.mime_type)
_SMALLER = (
    sa.select(sa.func.jsonb_agg(aggregate_order_by(_SHRUNK, _M.size, _M.sha256), type_=JSONB))
    .where(
        _M.project_id == _A.project_id,
        _M.source == _A.sha256,
        sa.or_(*[_M.options == name for name in SAME_PICTURE]),
    )
    .correlate(_A)
    .scalar_subquery()
)
_ALL = (
    sa.select(*STORED, _SMALLER).where(_A.project_id == _PROJECT, _IS_THERE).order_by(_A.name_key)
)
_UPDATE = announcing(
    sa.update(_A)
    .where(
        _A.id == _ID,
        _A.revision == bindparam("seen", type_=sa.BigInteger),
        _IS_THERE,
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


def _move(*, is_there: bool, deleted_at: Any) -> Any:  # noqa: ANN401 - an expression; a statement
    """Take an asset out of the library, or back into it."""
    return announcing(
        sa.update(_A)
        .where(
            _A.id == _ID,
            _A.revision == bindparam("seen", type_=sa.BigInteger),
            _IS_THERE if is_there else ~_IS_THERE,
            _OWNED,
            permits(_USER, *WRITERS),
        )
        .values(deleted_at=deleted_at, revision=_A.revision + 1, updated_at=sa.func.now())
        .returning(*STORED)
    )


_DELETE = _move(is_there=True, deleted_at=sa.func.now())
_RESTORE = _move(is_there=False, deleted_at=sa.null())
_KNOWN = (
    sa.select(_V.sha256)
    .join(_A, _A.id == _V.asset_id)
    .where(
        _V.project_id == _PROJECT,
        _V.sha256 == sa.any_(bindparam("sha256", type_=sa.ARRAY(sa.Text))),
        _IS_THERE,
    )
    .distinct()
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


async def seen(db: Queries, asset_id: UUID, user_id: UUID) -> Seen | None:
    """Return the asset, if it is in a library that the user may see."""
    return await db.one_or_none(_SEEN, Seen, asset_id=asset_id, user_id=str(user_id))


async def seen_as(db: Queries, asset_id: UUID, user_id: UUID, version: int) -> Seen | None:
    """Return the asset as it was, if the user may see it."""
    given = {"asset_id": asset_id, "user_id": str(user_id), "version": version}
    return await db.one_or_none(_SEEN_AS, Seen, **given)


async def seen_deleted(db: Queries, asset_id: UUID, user_id: UUID) -> Seen | None:
    """Return an asset that was deleted, if the user might have seen it."""
    return await db.one_or_none(_SEEN_DELETED, Seen, asset_id=asset_id, user_id=str(user_id))


async def known(db: Queries, project_id: UUID, hashes: list[str]) -> set[str]:
    """Return those of the hashes whose bytes the project's library has, now or in a version."""
    return set(await db.all(_KNOWN, str, project_id=project_id, sha256=hashes))


async def all_of(db: Database, project_id: UUID) -> list[tuple[Stored, list[Shrunk]]]:
    """Return every asset of a project, whoever asks, and what was made of it without loss."""
    return await db.all(_ALL, _shrunk, project_id=project_id)


def _shrunk(*values: Any) -> tuple[Stored, list[Shrunk]]:  # noqa: ANN401 - as the columns are
    *stored, made = values
    return Stored(*stored), [Shrunk(*one) for one in made or ()]


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
    """Take the asset out and announce it; false where it changed since it was seen."""
    return await _moved(db, _DELETE, asset, user_id, event) is not None


async def restore(db: Database, asset: Stored, user_id: UUID, event: Event) -> Stored | None:
    """Take the asset back in and announce it; ``None`` where it changed since it was seen.

    Raises ``ConflictError`` where another asset of the library has its name by now.
    """
    try:
        return await _moved(db, _RESTORE, asset, user_id, event)
    except asyncpg.UniqueViolationError as exc:
        raise ConflictError("Another asset has this name.", {"field": "name"}) from exc


async def _moved(
    db: Database,
    statement: Any,  # noqa: ANN401 - one of the two above
    asset: Stored,
    user_id: UUID,
    event: Event,
) -> Stored | None:
    given = {"asset_id": asset.id, "seen": asset.revision, "user_id": str(user_id)}
    return await db.one_or_none(statement, Stored, **given, **announced(event, asset.project_id))
