"""The SQL of who has read which comments."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import insert

from collab.comments.schema import UnreadComments
from collab.talk_tables import CommentRow, ReadRow, TalkRow
from common.database import Queries

_C, _T, _R = CommentRow, TalkRow, ReadRow
_ID = bindparam("id", type_=sa.Uuid)
_PROJECT = bindparam("project_id", type_=sa.Uuid)
_USER = bindparam("user_id", type_=sa.Uuid)
_COUNTED_MAX = 1_000
_LAST = sa.select(_T.comment_seq).where(_T.project_id == _PROJECT).scalar_subquery()
_READ = (
    sa.select(_R.comment_seq).where(_R.project_id == _PROJECT, _R.user_id == _USER)
).scalar_subquery()
_here = sa.select(
    sa.func.coalesce(_LAST, 0).label("last"), sa.func.coalesce(_READ, 0).label("read")
).cte("here")
_waiting = (
    sa.select((sa.any_(_C.mentions) == _USER).label("names"))
    .where(
        _C.project_id == _PROJECT,
        _C.seq > sa.select(_here.c.read).scalar_subquery(),
        _C.user_id != _USER,
    )
    .limit(_COUNTED_MAX)
    .subquery("waiting")
)
_UNREAD = (
    sa.select(
        sa.func.count(_waiting.c.names),
        sa.func.count().filter(_waiting.c.names),
        _here.c.read,
        _here.c.last,
    )
    .select_from(_here.outerjoin(_waiting, sa.true()))
    .group_by(_here.c.read, _here.c.last)
)
_UP_TO = insert(_R).from_select(
    ["project_id", "user_id", "comment_seq"],
    sa.select(_PROJECT, _USER, _C.seq).where(_C.id == _ID, _C.project_id == _PROJECT),
)
_MARK = _UP_TO.on_conflict_do_update(
    index_elements=[_R.project_id, _R.user_id],
    set_={"comment_seq": sa.func.greatest(_R.comment_seq, _UP_TO.excluded.comment_seq)},
).returning(_R.comment_seq)


async def unread(db: Queries, project_id: UUID, user_id: UUID) -> UnreadComments:
    """Count what others said that somebody has not read; beyond a thousand it is a thousand."""
    return await db.one(_UNREAD, UnreadComments, project_id=project_id, user_id=user_id)


async def mark(db: Queries, project_id: UUID, user_id: UUID, comment_id: UUID) -> bool:
    """Remember that somebody has read up to a comment; false where there is no such one."""
    found = await db.one_or_none(_MARK, int, project_id=project_id, user_id=user_id, id=comment_id)
    return found is not None
