"""The SQL of comments: statements above, the functions that run them below."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import aliased

from collab.comments.types import ReplyRow, Row, Wanted
from collab.talk_tables import CommentRow, ReadRow, TalkRow
from common.contracts.collab import CommentCreated
from common.database import Database, Queries
from common.outbox import announced, announcing

_C, _T, _R = CommentRow, TalkRow, ReadRow
_NEWEST = 2**63 - 1
_ID = bindparam("id", type_=sa.Uuid)
_PROJECT = bindparam("project_id", type_=sa.Uuid)
_USER = bindparam("user_id", type_=sa.Uuid)
_TEXT = bindparam("text", type_=sa.Text)
_MENTIONS = bindparam("mentions", type_=ARRAY(sa.Uuid))
_PATH = bindparam("path", type_=sa.Text)
_LIMIT = bindparam("limit", type_=sa.BigInteger)
_COLUMNS = (
    _C.id,
    _C.project_id,
    _C.seq,
    _C.parent_id,
    _C.document_id,
    _C.path,
    _C.start,
    _C.end,
    _C.quote,
    _C.user_id,
    _C.text,
    _C.mentions,
    _C.resolved_by,
    _C.resolved_at,
    _C.is_file_gone,
    _C.stale_by,
    _C.created_at,
    _C.edited_at,
)
_WRITTEN = ["id", "project_id", "seq", "user_id", "text", "mentions"]
_PLACED = ["document_id", "path", "start", "end", "quote"]


def _next() -> sa.CTE:
    new = insert(_T).values(project_id=_PROJECT, comment_seq=1)
    counted = new.on_conflict_do_update(
        index_elements=[_T.project_id], set_={"comment_seq": _T.comment_seq + 1}
    )
    return counted.returning(_T.comment_seq).cte("next")


_next_thread, _next_reply = _next(), _next()
_ADD = announcing(
    sa.insert(_C)
    .from_select(
        [*_WRITTEN, *_PLACED],
        sa.select(
            _ID,
            _PROJECT,
            _next_thread.c.comment_seq,
            _USER,
            _TEXT,
            _MENTIONS,
            bindparam("document_id", type_=sa.Uuid),
            _PATH,
            bindparam("start", type_=sa.LargeBinary),
            bindparam("end", type_=sa.LargeBinary),
            bindparam("quote", type_=sa.Text),
        ),
    )
    .returning(*_COLUMNS),
    number="seq",
)
_thread = aliased(_C, name="thread")
_REPLY = announcing(
    sa.insert(_C)
    .from_select(
        [*_WRITTEN, "parent_id", *_PLACED, "is_file_gone"],
        sa.select(
            _ID,
            _PROJECT,
            _next_reply.c.comment_seq,
            _USER,
            _TEXT,
            _MENTIONS,
            _thread.id,
            _thread.document_id,
            _thread.path,
            _thread.start,
            _thread.end,
            sa.literal_column("''", sa.Text),
            _thread.is_file_gone,
        ).where(
            _thread.id == bindparam("parent_id", type_=sa.Uuid),
            _thread.project_id == _PROJECT,
            _thread.parent_id.is_(None),
        ),
    )
    .returning(*_COLUMNS),
    number="seq",
    path="path",
)
_ONE = sa.select(*_COLUMNS).where(_C.id == _ID)
_HELD = _ONE.with_for_update()
_EDIT = (
    sa.update(_C)
    .where(_C.id == _ID)
    .values(text=_TEXT, mentions=_MENTIONS, edited_at=sa.func.now())
)
_RESOLVE = (
    sa.update(_C)
    .where(_C.id == _ID)
    .values(
        resolved_by=_USER,
        resolved_at=sa.case((_USER.is_not(None), sa.func.now()), else_=sa.null()),
    )
)
_DELETE = sa.delete(_C).where(_C.id == _ID)
_BEFORE = _C.seq < bindparam("before", type_=sa.BigInteger)
_THREADS = (
    sa.select(*_COLUMNS)
    .where(_C.project_id == _PROJECT, _C.parent_id.is_(None), _BEFORE)
    .order_by(_C.seq.desc())
    .limit(_LIMIT)
)
# each of the filters is a statement of its own, so that each has a plan of its own
_LISTS = {
    (has_path, is_resolved): _THREADS.where(
        *([_C.path == _PATH] if has_path else []),
        *([] if is_resolved is None else [_C.resolved_at.is_not(None) == sa.literal(is_resolved)]),
    )
    for has_path in (False, True)
    for is_resolved in (None, False, True)
}
_REPLY_COLUMNS = (
    _C.id,
    _C.project_id,
    _C.seq,
    _C.parent_id,
    _C.user_id,
    _C.text,
    _C.mentions,
    _C.created_at,
    _C.edited_at,
)
_ranked = (
    sa.select(
        *_REPLY_COLUMNS,
        sa.func.count().over(partition_by=_C.parent_id).label("replies"),
        sa.func.row_number().over(partition_by=_C.parent_id, order_by=_C.seq.desc()).label("rank"),
    )
    .where(_C.parent_id == sa.any_(bindparam("parent_ids", type_=ARRAY(sa.Uuid))))
    .subquery("ranked")
)
_LATEST = (
    sa.select(*[_ranked.c[name] for name in (*[c.key for c in _REPLY_COLUMNS], "replies")])
    .where(_ranked.c.rank <= _LIMIT)
    .order_by(_ranked.c.seq)
)
_REPLIES = (
    sa.select(*_COLUMNS)
    .where(_C.parent_id == bindparam("parent_id", type_=sa.Uuid), _BEFORE)
    .order_by(_C.seq.desc())
    .limit(_LIMIT)
)


async def add(
    db: Database, comment_id: UUID, event: CommentCreated, start: bytes, end: bytes
) -> Row:
    """Write a comment."""
    return await db.one(
        _ADD,
        Row,
        id=comment_id,
        project_id=event.project_id,
        user_id=event.actor_id,
        text=event.text,
        mentions=event.mentions,
        document_id=event.file_id,
        path=event.path,
        start=start,
        end=end,
        quote=event.quote,
        **announced(event, event.project_id),
    )


async def reply(db: Database, comment_id: UUID, event: CommentCreated) -> Row | None:
    """Write a reply; ``None`` where there is no such thread any more."""
    return await db.one_or_none(
        _REPLY,
        Row,
        id=comment_id,
        project_id=event.project_id,
        parent_id=event.parent_id,
        user_id=event.actor_id,
        text=event.text,
        mentions=event.mentions,
        **announced(event, event.project_id),
    )


async def one(db: Queries, comment_id: UUID) -> Row | None:
    """Return a comment."""
    return await db.one_or_none(_ONE, Row, id=comment_id)


async def held(tx: Queries, comment_id: UUID) -> Row | None:
    """Return a comment that nobody else changes until the transaction ends."""
    return await tx.one_or_none(_HELD, Row, id=comment_id)


async def edit(tx: Queries, comment_id: UUID, text: str, mentions: list[UUID]) -> None:
    """Give a comment another text."""
    await tx.run(_EDIT, id=comment_id, text=text, mentions=mentions)


async def resolve(tx: Queries, comment_id: UUID, user_id: UUID | None) -> None:
    """Let a comment be resolved by somebody, or by nobody: then it is open."""
    await tx.run(_RESOLVE, id=comment_id, user_id=user_id)


async def delete(tx: Queries, comment_id: UUID) -> None:
    """Delete a comment with its replies."""
    await tx.run(_DELETE, id=comment_id)


async def listed(db: Queries, wanted: Wanted) -> list[Row]:
    """Return the newest comments of a project that are wanted."""
    statement = _LISTS[wanted.path is not None, wanted.is_resolved]
    path = {} if wanted.path is None else {"path": wanted.path}
    before = wanted.before or _NEWEST
    return await db.all(
        statement, Row, project_id=wanted.project_id, before=before, limit=wanted.limit, **path
    )


async def latest(db: Queries, parent_ids: Sequence[UUID], limit: int) -> list[ReplyRow]:
    """Return the newest replies to each of many comments, the oldest of them first."""
    return await db.all(_LATEST, ReplyRow, parent_ids=list(parent_ids), limit=limit)


async def replies(db: Queries, parent_id: UUID, before: int | None, limit: int) -> list[Row]:
    """Return the newest replies to a comment."""
    return await db.all(_REPLIES, Row, parent_id=parent_id, before=before or _NEWEST, limit=limit)


_FORGET = sa.delete(_C).where(_C.project_id == _PROJECT)


async def forget(tx: Queries, project_id: UUID) -> None:
    """Delete a project's comments."""
    await tx.run(_FORGET, project_id=project_id)
