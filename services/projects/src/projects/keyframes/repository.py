"""The SQL of keyframes: the statement above, the function that runs it below."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.dml import ReturningUpdate

from common.database import Queries
from projects.history_tables import KeyframeFileRow, KeyframeRow
from projects.tables import FileRow, HeadRow

_PROJECT = bindparam("project_id", type_=sa.Uuid)


def _make() -> "ReturningUpdate[int]":
    """One statement sees one moment: the head says which, and the files are those of it."""
    least = bindparam("changes_min", type_=sa.BigInteger)
    enough = sa.case((least > 1, sa.func.greatest(HeadRow.files, least)), else_=least)
    head = sa.select(HeadRow.project_id, HeadRow.seq, HeadRow.at).where(
        HeadRow.project_id == _PROJECT, HeadRow.seq - HeadRow.keyframe_seq >= enough
    )
    keyframe = (
        insert(KeyframeRow)
        .from_select(["project_id", "seq", "at"], head)
        .on_conflict_do_nothing()
        .returning(KeyframeRow.project_id, KeyframeRow.seq)
        .cte("keyframe")
    )
    k, f = keyframe.c, FileRow
    kept = (f.version, f.document_id, f.hash, f.size, f.encoding, f.updated_at, f.updated_by)
    rows = (
        sa.select(k.project_id, k.seq, f.path, *kept)
        .select_from(keyframe)
        .join(f, f.project_id == k.project_id)
        .where(f.hash.is_not(None))
    )
    columns = ["project_id", "keyframe_seq", "path", *(column.key for column in kept)]
    files = (
        sa.insert(KeyframeFileRow)
        .from_select(columns, rows)
        .returning(KeyframeFileRow.path)
        .cte("files")
    )
    # asked for, so that they are written before the head is held: writers wait for that
    count = sa.select(sa.func.count()).select_from(files).scalar_subquery()
    return (
        sa.update(HeadRow)
        .where(HeadRow.project_id == k.project_id, count >= sa.literal_column("0"))
        .values(keyframe_seq=sa.func.greatest(HeadRow.keyframe_seq, k.seq))
        .returning(HeadRow.keyframe_seq)
    )


_MAKE = _make()


async def make(db: Queries, project_id: UUID, *, changes_min: int = 1) -> bool:
    """Keep the project's tree as it is now, if so much has changed; return whether it was kept.

    From two on it must also be as much as there are files.
    """
    found = await db.one_or_none(_MAKE, int, project_id=project_id, changes_min=changes_min)
    return found is not None
