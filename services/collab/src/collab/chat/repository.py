"""The SQL of chats: statements above, the functions that run them below."""

from uuid import UUID

import asyncpg
import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import ARRAY, insert

from collab.chat.schema import Message, Unread
from collab.talk_tables import MentionRow, MessageRow, ReadRow, TalkRow
from common.contracts.collab import ChatPosted
from common.database import Database, Queries
from common.outbox import announced, announcing

_M, _T, _R, _N = MessageRow, TalkRow, ReadRow, MentionRow
_PROJECT = bindparam("project_id", type_=sa.Uuid)
_USER = bindparam("user_id", type_=sa.Uuid)
_CLIENT = bindparam("client_id", type_=sa.Uuid)
_MENTIONS = bindparam("mentions", type_=ARRAY(sa.Uuid))
_COLUMNS = (_M.id, _M.seq, _M.user_id, _M.text, _M.mentions, _M.client_id, _M.created_at)

_NEXT = (
    insert(_T)
    .values(project_id=_PROJECT, seq=1)
    .on_conflict_do_update(index_elements=[_T.project_id], set_={"seq": _T.seq + 1})
    .returning(_T.seq)
    .cte("next")
)
_WRITE = (
    sa.insert(_M)
    .from_select(
        ["project_id", "seq", "id", "user_id", "text", "mentions", "client_id"],
        sa.select(
            _PROJECT,
            _NEXT.c.seq,
            bindparam("id", type_=sa.Uuid),
            _USER,
            bindparam("text", type_=sa.Text),
            _MENTIONS,
            _CLIENT,
        ),
    )
    .returning(*_COLUMNS)
)


def _mentioning(written: sa.CTE) -> sa.CTE:
    """Note who is named, for counting what they have not read."""
    rows = sa.select(_PROJECT, sa.func.unnest(written.c.mentions), written.c.seq)
    return sa.insert(_N).from_select(["project_id", "user_id", "seq"], rows).cte("mentioning")


def _having_read(written: sa.CTE) -> sa.CTE:
    """Who says something has read what was said."""
    rows = sa.select(_PROJECT, _USER, written.c.seq).select_from(written)
    new = insert(_R).from_select(["project_id", "user_id", "seq"], rows)
    return new.on_conflict_do_update(
        index_elements=[_R.project_id, _R.user_id],
        set_={"seq": sa.func.greatest(_R.seq, new.excluded.seq)},
    ).cte("having_read")


_POST = announcing(_WRITE, _mentioning, _having_read, number="seq")
_SAID = sa.select(*_COLUMNS).where(
    _M.project_id == _PROJECT, _M.user_id == _USER, _M.client_id == _CLIENT
)
_LIST = (
    sa.select(*_COLUMNS)
    .where(_M.project_id == _PROJECT, _M.seq < bindparam("before", type_=sa.BigInteger))
    .order_by(_M.seq.desc())
    .limit(bindparam("limit", type_=sa.BigInteger))
)
_LAST = sa.select(_T.seq).where(_T.project_id == _PROJECT).scalar_subquery()
_READ = sa.select(_R.seq).where(_R.project_id == _PROJECT, _R.user_id == _USER).scalar_subquery()
_HERE = sa.select(
    sa.func.coalesce(_LAST, 0).label("last"), sa.func.coalesce(_READ, 0).label("read")
).cte("here")
_NAMING = (
    sa.select(sa.func.count())
    .where(_N.project_id == _PROJECT, _N.user_id == _USER, _N.seq > _HERE.c.read)
    .correlate(_HERE)
    .scalar_subquery()
)
_UNREAD = sa.select(_HERE.c.last - _HERE.c.read, _NAMING, _HERE.c.read, _HERE.c.last)
_UP_TO = insert(_R).from_select(
    ["project_id", "user_id", "seq"],
    sa.select(_PROJECT, _USER, _M.seq).where(
        _M.id == bindparam("id", type_=sa.Uuid), _M.project_id == _PROJECT
    ),
)
_MARK = _UP_TO.on_conflict_do_update(
    index_elements=[_R.project_id, _R.user_id],
    set_={"seq": sa.func.greatest(_R.seq, _UP_TO.excluded.seq)},
).returning(_R.seq)


async def post(db: Database, message_id: UUID, event: ChatPosted) -> Message | None:
    """Write a message; ``None`` where the sender's own name for it was used before."""
    try:
        return await db.one(
            _POST,
            Message,
            id=message_id,
            project_id=event.project_id,
            user_id=event.actor_id,
            text=event.text,
            mentions=event.mentions,
            client_id=event.client_id,
            **announced(event, event.project_id),
        )
    except asyncpg.UniqueViolationError:
        return None


async def said(db: Queries, project_id: UUID, user_id: UUID, client_id: UUID) -> Message | None:
    """Return the message that somebody gave this name."""
    return await db.one_or_none(
        _SAID, Message, project_id=project_id, user_id=user_id, client_id=client_id
    )


async def listed(db: Queries, project_id: UUID, before: int, limit: int) -> list[Message]:
    """Return the newest messages of a project that came before one."""
    return await db.all(_LIST, Message, project_id=project_id, before=before, limit=limit)


async def unread(db: Queries, project_id: UUID, user_id: UUID) -> Unread:
    """Count what somebody has not read."""
    return await db.one(_UNREAD, Unread, project_id=project_id, user_id=user_id)


async def mark(db: Queries, project_id: UUID, user_id: UUID, message_id: UUID) -> bool:
    """Remember that somebody has read up to a message; false where there is no such one."""
    found = await db.one_or_none(_MARK, int, project_id=project_id, user_id=user_id, id=message_id)
    return found is not None


_FORGET = [sa.delete(row).where(row.project_id == _PROJECT) for row in (_N, _M, _R, _T)]


async def forget(tx: Queries, project_id: UUID) -> None:
    """Delete what was said in a project, and who has read what."""
    for statement in _FORGET:
        await tx.run(statement, project_id=project_id)
