"""The SQL of logs: statements above, the functions that run them below."""

from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import aggregate_order_by

from builds.logs.schema import Line, State
from builds.logs.types import Kept
from builds.tables import BuildRow, LogRow
from builds.types import UNFINISHED
from common.access import AccessRow, permits
from common.database import Database
from common.sharing import Shared
from common.statements import document, encoded, instant, keys, one_of

_B = BuildRow
_L = LogRow
_ID = bindparam("build_id", type_=sa.Uuid)

_K = keys(user_id=sa.Text(), build_id=sa.Uuid(), first=sa.BigInteger(), most=sa.BigInteger())
_LINE = document(line=_L.line, at=instant(_L.at), step=_L.step, text=_L.text)
_LINES = (
    sa.select(encoded(sa.func.json_agg(aggregate_order_by(_LINE, _L.line))))
    # lines have no gaps, and a limit cannot be a column
    .where(_L.build_id == _K.c.build_id, _L.line >= _K.c.first, _L.line < _K.c.first + _K.c.most)
    .correlate(_K)
    .scalar_subquery()
)
# state and lines are of one moment, and whoever is woken at once asks at once
_LOOK: Shared[Any, Any, Any, Any, Any, Any, Any, Any, Any, Any] = Shared(
    sa.select(
        _K.c.i,
        _B.project_id,
        _B.status,
        _B.steps,
        _B.error_code,
        _B.error_message,
        _B.started_at.is_not(None),
        _B.log_stored_at.is_not(None),
        _B.log_lines,
        _B.log_sha256,
        _LINES,
    )
    .join(_B, _B.id == _K.c.build_id)
    .join(AccessRow, sa.and_(AccessRow.resource_id == _B.project_id, permits(_K.c.user_id)))
    .where(_B.deleted_at.is_(None)),
    ("user_id", "build_id", "first", "most"),
    lanes=1,
)
_TEXT = sa.func.string_agg(
    _L.text + sa.func.chr(10), aggregate_order_by(sa.literal_column("''"), _L.line)
)
_BYTES = sa.func.convert_to(sa.func.coalesce(_TEXT, ""), sa.literal_column("'UTF8'"))
_DIGEST = sa.func.encode(sa.func.sha256(_BYTES), sa.literal_column("'hex'"), type_=sa.Text)
_HERE = sa.select(_DIGEST).where(_L.build_id == _ID).scalar_subquery()
_HASH = sa.select(sa.func.coalesce(_B.log_sha256, _HERE)).where(_B.id == _ID)
_WAITING = sa.and_(
    _B.completed_at.is_not(None), _B.log_stored_at.is_(None), _B.deleted_at.is_(None)
)
_FIND_WAITING = (
    sa.select(_B.id)
    .where(_WAITING, ~one_of(_B.status, *UNFINISHED))
    .order_by(_B.completed_at)
    .limit(bindparam("limit", type_=sa.BigInteger))
)
_ALL = sa.select(_L.line, _L.at, _L.step, _L.text).where(_L.build_id == _ID).order_by(_L.line)
_NOTED = (
    sa.update(_B)
    .where(_B.id == _ID, _WAITING)
    .values(
        log_stored_at=sa.func.now(),
        log_lines=bindparam("lines", type_=sa.BigInteger),
        log_sha256=bindparam("sha256", type_=sa.Text),
    )
    .returning(_B.id)
    .cte("noted")
)
_DROPPED = sa.delete(_L).where(_L.build_id.in_(sa.select(_NOTED.c.id))).cte("dropped")
_NOTE = sa.select(_NOTED.c.id).add_cte(_DROPPED)
_IS_KEPT = sa.select(_B.log_stored_at.is_not(None)).where(_B.id == _ID)
_DECODER = msgspec.json.Decoder(list[Line])


class Look(msgspec.Struct, frozen=True):
    """A build at one moment, and some lines of its log, if it is not ``kept`` elsewhere."""

    project_id: UUID
    state: State
    has_started: bool
    kept: Kept | None
    lines: list[Line]

    @property
    def is_over(self) -> bool:
        """Whether no line will follow those that there are."""
        return self.state.status not in UNFINISHED


async def look(db: Database, build_id: UUID, user_id: UUID, first: int, most: int) -> Look | None:
    """Return how far a build has come and its lines from ``first`` on, for who may know."""
    row = await db.shared(_LOOK, user_id=str(user_id), build_id=build_id, first=first, most=most)
    if row is None:
        return None
    project_id, status, steps, code, message, has_started, is_kept, count, sha256, lines = row
    said = {"status": status, "steps": steps, "errorCode": code, "errorMessage": message}
    return Look(
        project_id,
        msgspec.convert(said, State),
        has_started,
        Kept(count, sha256) if is_kept else None,
        _DECODER.decode(lines) if lines else [],
    )


async def text_hash(db: Database, build_id: UUID) -> str:
    """Return the hash of the log's text, as it is now."""
    return await db.one(_HASH, _same_text, build_id=build_id)


async def waiting(db: Database, limit: int) -> list[UUID]:
    """Return builds that have ended, and whose log is still here."""
    return await db.all(_FIND_WAITING, _same, limit=limit)


async def all_lines(db: Database, build_id: UUID) -> list[Line]:
    """Return the whole log."""
    return await db.all(_ALL, Line, build_id=build_id)


async def note(db: Database, build_id: UUID, kept: Kept) -> bool:
    """Write down that the log is kept elsewhere and drop it here; false if nothing was to do."""
    found = await db.one_or_none(
        _NOTE, _same, build_id=build_id, lines=kept.lines, sha256=kept.sha256
    )
    return found is not None


async def is_kept(db: Database, build_id: UUID) -> bool:
    """Whether the log is kept elsewhere already."""
    return bool(await db.one_or_none(_IS_KEPT, bool, build_id=build_id))


def _same(build_id: UUID) -> UUID:
    return build_id


def _same_text(text: str) -> str:
    return text
