"""The SQL of lists of projects: statements above, the functions that run them below."""

from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import aggregate_order_by

from common.answers import Window
from common.database import Queries
from common.statements import encoded, word
from projects.cursors import Place
from projects.lists.types import Kind, Match, Wanted
from projects.permissions import membership
from projects.shapes import ROLE, project_info
from projects.tables import MemberRow, ProjectRow

_P = ProjectRow
_SORTS: dict[str, Any] = {"createdAt": _P.created_at, "updatedAt": _P.updated_at, "name": _P.name}
_ONLY = bindparam("only", type_=sa.Uuid)
_LIMIT = bindparam("limit", type_=sa.BigInteger)

# the operator reads its threshold from a setting, which is in force until the statement's end: it
# is set by what the operator needs to begin, and so before any name is looked at
_ASKED = sa.select(
    sa.case(
        (
            sa.func.set_config(
                word("pg_trgm.word_similarity_threshold"),
                bindparam("likeness", type_=sa.Text),
                sa.true(),
            ).is_not(None),
            bindparam("query", type_=sa.Text),
        )
    )
).scalar_subquery()
_IS_PART = _P.name.ilike(bindparam("pattern", type_=sa.Text), escape="\\")
_IS_ALIKE = _P.name.op("%>", is_comparison=True)(_ASKED)


def _is_of(kind: Kind) -> "sa.ColumnElement[bool]":
    if kind == "trashed":
        return sa.and_(_P.deleted_at.is_not(None), MemberRow.role == "owner")
    here = _P.deleted_at.is_(None)
    if kind == "public":
        return sa.and_(here, _P.is_public)
    if kind == "shared":
        return sa.and_(here, MemberRow.role != "owner")
    return sa.and_(here, MemberRow.role == "owner")


def _matches(match: Match) -> "sa.ColumnElement[bool]":
    if match == "any":
        return sa.true()
    return _IS_PART if match == "part" else _IS_PART | _IS_ALIKE


def _narrowed[*Ts](statement: "sa.Select[*Ts]", kind: Kind, match: Match) -> "sa.Select[*Ts]":
    return (
        statement.select_from(_P)
        .outerjoin(MemberRow, membership(bindparam("user_id", type_=sa.Uuid)))
        .where(_is_of(kind), _matches(match), _ONLY.is_(None) | (_P.id == _ONLY))
    )


def _field(sort: str) -> str:
    return sort.removeprefix("-")


def _which(kind: Kind, match: Match, sort: str) -> "sa.Select[UUID, Any, str]":
    """Which projects, and no more of them than their order needs: it is of all that are sorted."""
    key = _SORTS[_field(sort)]
    return _narrowed(sa.select(_P.id, key.label("key"), ROLE.label("role")), kind, match)


def _order(sort: str, key: Any, id_: Any) -> "tuple[sa.ColumnElement[Any], sa.ColumnElement[UUID]]":  # noqa: ANN401 - columns, wherever they stand
    return (key.desc() if sort.startswith("-") else key.asc()), id_.asc()


@cache
def _page(kind: Kind, match: Match, sort: str) -> "sa.Select[int, bytes]":
    which = _which(kind, match, sort)
    # comparing names is what costs, and so it is done once; without, an index has the order
    found = which.subquery("found") if match == "any" else which.cte("found")
    order = _order(sort, found.c.key, found.c.id)
    offset = bindparam("offset", type_=sa.BigInteger)
    some = sa.select(found).order_by(*order).limit(_LIMIT).offset(offset).subquery("some")
    item = project_info(some.c.role)
    listed = aggregate_order_by(item, *_order(sort, some.c.key, some.c.id))
    items = sa.select(sa.func.json_agg(listed)).join_from(some, _P, _P.id == some.c.id)
    total = sa.select(sa.func.count()).select_from(found)
    shown = sa.func.coalesce(items.scalar_subquery(), sa.literal_column("'[]'::json"))
    return sa.select(total.scalar_subquery(), encoded(shown))


def _is_after(sort: str) -> "sa.ColumnElement[bool]":
    key = _SORTS[_field(sort)]
    last = bindparam("key", type_=key.type)
    beyond, upto = (key < last, key <= last) if sort.startswith("-") else (key > last, key >= last)
    # said twice, because an index by the key alone is entered by the first
    return sa.and_(upto, sa.or_(beyond, _P.id > bindparam("id", type_=sa.Uuid)))


@cache
def _stretch(
    kind: Kind, match: Match, sort: str, *, begins: bool
) -> "sa.Select[bytes, datetime | str, UUID]":
    which = _which(kind, match, sort).order_by(*_order(sort, _SORTS[_field(sort)], _P.id))
    some = (which if begins else which.where(_is_after(sort))).limit(_LIMIT).subquery("some")
    columns = (encoded(project_info(some.c.role)), some.c.key, _P.id)
    listed = sa.select(*columns).join_from(some, _P, _P.id == some.c.id)
    return listed.order_by(*_order(sort, some.c.key, some.c.id))


class Listed(msgspec.Struct, frozen=True):
    """A project as JSON, and its place in the list."""

    body: bytes
    place: Place[datetime | str]


async def page(
    db: Queries, user_id: UUID, only: UUID | None, wanted: Wanted, window: Window
) -> tuple[int, bytes]:
    """Return how many projects there are, and one page of them as JSON; perhaps ``only`` one."""
    return await db.one(
        _page(wanted.kind, wanted.match, wanted.sort),
        _pair,
        **_asked(user_id, only, wanted),
        limit=window.limit,
        offset=window.offset,
    )


def _pair(total: int, items: bytes) -> tuple[int, bytes]:
    return total, items


async def stretch(
    db: Queries,
    user_id: UUID,
    only: UUID | None,
    wanted: Wanted,
    after: Place[Any] | None,
    limit: int,
) -> list[Listed]:
    """Return the projects after a place, or the first; perhaps ``only`` one."""
    place = {} if after is None else {"key": after.key, "id": after.id}
    return await db.all(
        _stretch(wanted.kind, wanted.match, wanted.sort, begins=after is None),
        _listed,
        **_asked(user_id, only, wanted),
        **place,
        limit=limit,
    )


def _listed(body: bytes, key: datetime | str, project_id: UUID) -> Listed:
    return Listed(body, Place(key, project_id))


def _asked(user_id: UUID, only: UUID | None, wanted: Wanted) -> dict[str, object]:
    return {
        "user_id": user_id,
        "only": only,
        "pattern": wanted.pattern,
        "query": wanted.query,
        "likeness": str(wanted.likeness),
    }
