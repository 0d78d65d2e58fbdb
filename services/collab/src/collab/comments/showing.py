"""Comments as they are shown: with their newest replies, and where they are now."""

import base64
from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from collab.comments import anchors, files, repository
from collab.comments.anchors import Stretch
from collab.comments.schema import Anchor, Comment, Place
from collab.comments.types import Means, ReplyRow, Row
from collab.documents.schema import WantedOpen
from collab.workshop.workshop import SpoiledError
from common.errors import NotFoundError, UnavailableError

_REPLIES_MAX = 20
# documents that one answer brings to life: the others are where they were
_OPENED_MAX = 20


async def shown(means: Means, rows: Sequence[Row]) -> list[Comment]:
    """Show comments and replies as they are now."""
    threads = [row for row in rows if row.parent_id is None]
    places = await _places(means, threads)
    replies: defaultdict[UUID, list[ReplyRow]] = defaultdict(list)
    if threads:
        for one in await repository.latest(means.db, [row.id for row in threads], _REPLIES_MAX):
            replies[one.parent_id].append(one)
    return [_comment(row, places.get(row.id), replies[row.id]) for row in rows]


async def _places(means: Means, threads: Sequence[Row]) -> dict[UUID, Place]:
    """Find where comments are: each document is read once, and one after the other."""
    by_document: defaultdict[UUID, list[Row]] = defaultdict(list)
    for row in threads:
        if not row.is_file_gone:
            by_document[row.document_id].append(row)
    found: dict[UUID, Place] = {}
    opened = 0
    for document_id, rows in by_document.items():
        state: list[bytes] = []
        stale = next((row for row in rows if row.stale_by is not None), None)
        if stale is not None and opened < _OPENED_MAX:
            opened += 1
            state = await _caught_up(means, stale)
        state = state or await files.state(means.db, document_id)
        if state:
            wanted = [Stretch(row.start, row.end, row.quote) for row in rows]
            size = sum(map(len, state))
            try:
                places = await means.workshop.do(size, anchors.all_where, state, wanted)
            except (SpoiledError, UnavailableError):
                # the comments are there, and where they are is seen later
                continue
            found |= {r.id: p for r, p in zip(rows, places, strict=True) if p is not None}
    return found


async def _caught_up(means: Means, row: Row) -> list[bytes]:
    """Let a document take in what its file has become; nothing where that cannot be now."""
    try:
        opened = await means.open_document(row.project_id, WantedOpen(file_id=row.document_id))
    except (NotFoundError, UnavailableError):
        return []
    if row.stale_by is not None:
        await files.caught_up(means.db, row.project_id, row.path, row.stale_by)
    return [opened.update]


def _comment(row: Row, place: Place | None, replies: list[ReplyRow]) -> Comment:
    is_thread = row.parent_id is None
    return Comment(
        id=row.id,
        project_id=row.project_id,
        number=row.number,
        parent_id=row.parent_id,
        user_id=row.user_id,
        text=row.text,
        mentions=row.mentions,
        anchor=_anchor(row) if is_thread else None,
        position=place,
        orphaned=is_thread and place is None,
        resolved_by=row.resolved_by,
        resolved_at=row.resolved_at,
        created_at=row.created_at,
        edited_at=row.edited_at,
        reply_count=replies[0].replies if replies else 0,
        replies=[_reply(one) for one in replies],
    )


def _anchor(row: Row) -> Anchor:
    return Anchor(row.document_id, row.path, encoded(row.start), encoded(row.end), row.quote)


def encoded(position: bytes) -> str:
    """Return a relative position as clients give and get it."""
    return base64.b64encode(position).decode()


def _reply(row: ReplyRow) -> Comment:
    return Comment(
        id=row.id,
        project_id=row.project_id,
        number=row.number,
        parent_id=row.parent_id,
        user_id=row.user_id,
        text=row.text,
        mentions=row.mentions,
        anchor=None,
        position=None,
        orphaned=False,
        resolved_by=None,
        resolved_at=None,
        created_at=row.created_at,
        edited_at=row.edited_at,
        reply_count=0,
        replies=[],
    )
