"""Counting a project's changes at its head: what every statement that writes files has in it."""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on, insert

from projects.tables import HeadRow, ProjectBlobRow

# a keyframe is due after so many changes, or as many as there are files
CHANGES_MIN = 1000
_XACT = sa.cast(sa.cast(sa.func.pg_current_xact_id(), sa.Text), sa.BigInteger)
_INSTANT: "sa.ColumnElement[timedelta]" = sa.literal_column("interval '1 microsecond'", sa.Interval)


def counted(written: Any) -> tuple[sa.CTE, sa.CTE]:  # noqa: ANN401 - a selectable
    """Count changes: what content is new to each project, and where its history has got to.

    ``written`` has project_id, hash, size, was_hash, bytes_max and files_max for each change. The
    head's row is held until the statement's transaction ends, projects in one order, so that
    two statements of many projects do not wait for one another for ever.
    """
    w = written.c
    rows = (
        sa.select(w.hash, w.project_id, w.size)
        .ext(distinct_on(w.hash, w.project_id))
        .where(w.hash.is_not(None), w.hash.is_distinct_from(w.was_hash))
        .order_by(w.hash, w.project_id)
    )
    owned = (
        insert(ProjectBlobRow)
        .from_select(["hash", "project_id", "size"], rows)
        .on_conflict_do_nothing()
        .returning(ProjectBlobRow.project_id, ProjectBlobRow.size)
        .cte("owned")
    )
    size = (
        sa.select(sa.func.sum(owned.c.size))
        .where(owned.c.project_id == w.project_id)
        .scalar_subquery()
    )
    came = sa.cast(w.hash.is_not(None), sa.Integer) - sa.cast(w.was_hash.is_not(None), sa.Integer)
    sums = (
        sa.select(
            w.project_id,
            sa.func.count(),
            sa.func.coalesce(size, 0),
            sa.func.max(w.bytes_max),
            sa.func.sum(came),
            sa.func.max(w.files_max),
            sa.func.clock_timestamp(),
            _XACT,
        )
        .group_by(w.project_id)
        .order_by(w.project_id)
    )
    columns = ["project_id", "seq", "bytes", "bytes_max", "files", "files_max", "at"]
    columns += ["xact"]
    new = insert(HeadRow).from_select(columns, sums)
    h, e = HeadRow, new.excluded
    heads = (
        new.on_conflict_do_update(
            index_elements=[h.project_id],
            set_={
                "seq": h.seq + e.seq,
                "bytes": h.bytes + e.bytes,
                # who has more than they may keeps it, and may have less: but not more
                "bytes_max": sa.func.greatest(e.bytes_max, h.bytes),
                "files": h.files + e.files,
                "files_max": sa.func.greatest(e.files_max, h.files),
                "at": sa.case(
                    (h.xact == _XACT, h.at),
                    else_=sa.func.greatest(h.at + _INSTANT, sa.func.clock_timestamp()),
                ),
                "xact": e.xact,
            },
        )
        .returning(h.project_id, h.seq, h.at, h.files, h.keyframe_seq)
        .cte("heads")
    )
    return owned, heads


def numbered(heads: sa.CTE, i: Any) -> "sa.ColumnElement[int]":  # noqa: ANN401 - a column
    """The change's number in its project's history; ``i`` puts those of one statement in order."""
    same = heads.c.project_id
    from_the_end = sa.func.row_number().over(partition_by=same, order_by=i.desc())
    return heads.c.seq - from_the_end + 1


def is_due(heads: sa.CTE) -> "sa.ColumnElement[bool]":
    """So much has changed since the last keyframe that the next one is worth its rows."""
    since = heads.c.seq - heads.c.keyframe_seq
    return since >= sa.func.greatest(heads.c.files, sa.literal_column(str(CHANGES_MIN)))
