"""The past: the tree of any moment, from the keyframe before it and the changes since then."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on

from projects.history_tables import FileVersionRow, KeyframeFileRow, KeyframeRow
from projects.tables import HeadRow

_V, _K, _F = FileVersionRow, KeyframeRow, KeyframeFileRow
_ZERO = sa.literal_column("0", sa.BigInteger)


def files_at(
    project_id: "sa.BindParameter[UUID]", seq: "sa.BindParameter[int]"
) -> "sa.CompoundSelect[Any]":
    """The files of a project as of ``seq``, with the columns that ``FileRow`` has for them.

    It reads a keyframe, and no more changes than come between two of them.
    """
    before = sa.select(sa.func.max(_K.seq)).where(_K.project_id == project_id, _K.seq <= seq)
    base = sa.func.coalesce(before.scalar_subquery(), _ZERO)
    changed = (
        sa.select(
            _V.path,
            _V.version,
            _V.document_id,
            _V.hash,
            _V.size,
            _V.encoding,
            _V.at.label("updated_at"),
            _V.actor_id.label("updated_by"),
        )
        .ext(distinct_on(_V.path))
        .where(_V.project_id == project_id, _V.seq > base, _V.seq <= seq)
        .order_by(_V.path, _V.seq.desc())
        .cte("changed")
    )
    kept = sa.select(
        _F.path,
        _F.version,
        _F.document_id,
        _F.hash,
        _F.size,
        _F.encoding,
        _F.updated_at,
        _F.updated_by,
    ).where(
        _F.project_id == project_id,
        _F.keyframe_seq == base,
        # looked up in a hash of them whatever is known of the tables; joined, each may meet each
        _F.path.not_in(sa.select(changed.c.path)),
    )
    return sa.union_all(sa.select(changed).where(changed.c.hash.is_not(None)), kept)


def seq_at(
    project_id: "sa.BindParameter[UUID]", time: "sa.BindParameter[Any]"
) -> "sa.ColumnElement[int]":
    """How far the project's history had got at a time; 0 before there was any."""
    before = (
        sa.select(sa.func.max(_K.seq))
        .where(_K.project_id == project_id, _K.at <= time)
        .scalar_subquery()
    )
    after = (
        sa.select(sa.func.min(_K.seq))
        .where(_K.project_id == project_id, _K.at > time)
        .scalar_subquery()
    )
    since = (
        sa.select(sa.func.max(_V.seq))
        .where(
            _V.project_id == project_id,
            _V.seq > sa.func.coalesce(before, _ZERO),
            after.is_(None) | (_V.seq < after),
            _V.at <= time,
        )
        .scalar_subquery()
    )
    return sa.func.coalesce(since, before, _ZERO)


def head_seq(project_id: "sa.SQLColumnExpression[UUID]") -> "sa.ColumnElement[int]":
    """How far the project's history has got."""
    head = sa.select(HeadRow.seq).where(HeadRow.project_id == project_id).scalar_subquery()
    return sa.func.coalesce(head, _ZERO)


def whole_seq(
    project_id: "sa.BindParameter[UUID]", seq: "sa.BindParameter[int]"
) -> "sa.ColumnElement[int]":
    """The end of the transaction that the change was part of: its changes happened together.

    Each transaction has a time of its own, which all its changes have.
    """
    its = sa.select(_V.at).where(_V.project_id == project_id, _V.seq == seq).scalar_subquery()
    next_one = (
        sa.select(_V.seq)
        .where(_V.project_id == project_id, _V.seq > seq, _V.at > its)
        .order_by(_V.seq)
        .limit(1)
        .scalar_subquery()
    )
    return sa.case((its.is_(None), seq), else_=sa.func.coalesce(next_one - 1, head_seq(project_id)))
