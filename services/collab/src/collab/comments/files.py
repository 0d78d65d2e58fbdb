"""The SQL of comments' files: where they went, and what their documents hold."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import ARRAY

from collab.tables import DocumentRow, DocumentUpdateRow
from collab.talk_tables import CommentRow
from common.database import Queries

_C, _D, _U = CommentRow, DocumentRow, DocumentUpdateRow
_PROJECT = bindparam("project_id", type_=sa.Uuid)
_PATH = bindparam("path", type_=sa.Text)
_AT = sa.and_(
    _C.project_id == _PROJECT,
    _C.path == _PATH,
    # one that was made later is about the file that is there now
    _C.created_at <= bindparam("at", type_=sa.DateTime(timezone=True)),
)
_MOVE = sa.update(_C).where(_AT, ~_C.is_file_gone).values(path=bindparam("to", type_=sa.Text))
_GONE = sa.update(_C).where(_AT, ~_C.is_file_gone).values(is_file_gone=sa.true())
_EVENT = bindparam("event_id", type_=sa.Uuid)
_BACK = sa.update(_C).where(_AT).values(is_file_gone=sa.false(), stale_by=_EVENT)
_STALE = sa.update(_C).where(_AT, ~_C.is_file_gone).values(stale_by=_EVENT)
_FRESH = (
    sa.update(_C)
    .where(_C.project_id == _PROJECT, _C.path == _PATH, _C.stale_by == _EVENT)
    .values(stale_by=None)
)


async def file_moved(tx: Queries, project_id: UUID, path: str, at: datetime, to: str) -> None:
    """Take the comments on a file along."""
    await tx.run(_MOVE, project_id=project_id, path=path, at=at, to=to)


async def file_deleted(tx: Queries, project_id: UUID, path: str, at: datetime) -> None:
    """Note that the file of comments is gone."""
    await tx.run(_GONE, project_id=project_id, path=path, at=at)


async def file_created(
    tx: Queries, project_id: UUID, path: str, at: datetime, event_id: UUID
) -> None:
    """Note that the file of comments is there again, with whatever it says now."""
    await tx.run(_BACK, project_id=project_id, path=path, at=at, event_id=event_id)


async def file_changed(
    tx: Queries, project_id: UUID, path: str, at: datetime, event_id: UUID
) -> None:
    """Note that the document of comments may not be what its file is."""
    await tx.run(_STALE, project_id=project_id, path=path, at=at, event_id=event_id)


async def caught_up(db: Queries, project_id: UUID, path: str, event_id: UUID) -> None:
    """Note that the document has taken a change of its file in, unless there is a newer one."""
    await db.run(_FRESH, project_id=project_id, path=path, event_id=event_id)


_LOG = sa.func.array(
    sa.select(_U.data)
    .where(_U.document_id == _D.id, _U.seq > _D.snapshot_seq)
    .order_by(_U.seq)
    .correlate(_D)
    .scalar_subquery(),
    type_=ARRAY(sa.LargeBinary),
)
_STATE = sa.select(_D.snapshot, _LOG).where(_D.id == bindparam("id", type_=sa.Uuid))


async def state(db: Queries, document_id: UUID) -> list[bytes]:
    """Return the updates that a document is; none where it is no more."""
    found = await db.one_or_none(_STATE, _joined, id=document_id)
    return [] if found is None else found


def _joined(snapshot: bytes, log: Sequence[bytes]) -> list[bytes]:
    return [snapshot, *log]
