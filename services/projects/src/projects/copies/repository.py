"""The SQL of copies: statements above, the functions that run them below."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.orm import aliased

from common.database import Queries
from projects.copies.types import Source
from projects.files.types import Entry
from projects.past import files_at, head_seq
from projects.permissions import visible
from projects.tables import FileRow, ProjectRow

_P = ProjectRow
_OWN = aliased(_P)
_COUNT = (
    sa.select(sa.func.count())
    .where(_OWN.owner_id == bindparam("user_id", type_=sa.Uuid), _OWN.deleted_at.is_(None))
    .scalar_subquery()
)
_SOURCE = visible(
    sa.select(
        _P.name,
        _P.description,
        _P.thumbnail_url,
        _P.settings,
        head_seq(_P.id),
        _COUNT,
    )
)
_HELD = _SOURCE.with_for_update(of=_P, read=True, key_share=True)
_ID = bindparam("project_id", type_=sa.Uuid)
_SEQ = bindparam("seq", type_=sa.BigInteger)
_F = FileRow
# the present needs no past, and is where most copies are from
_NOW = sa.select(_F.path, _F.hash, _F.size, _F.encoding).where(
    _F.project_id == _ID, _F.hash.is_not(None), head_seq(_ID) == _SEQ
)
_THEN = files_at(_ID, _SEQ).subquery("then")
_PAST = sa.select(_THEN.c.path, _THEN.c.hash, _THEN.c.size, _THEN.c.encoding)


async def hold(tx: Queries, project_id: UUID, user_id: UUID) -> Source | None:
    """Return the same, and let nobody purge the project until the transaction ends."""
    return await tx.one_or_none(_HELD, Source, project_id=project_id, user_id=user_id)


async def source(db: Queries, project_id: UUID, user_id: UUID) -> Source | None:
    """Return what a copy is made from, if the user may see it."""
    return await db.one_or_none(_SOURCE, Source, project_id=project_id, user_id=user_id)


async def entries(db: Queries, project_id: UUID, seq: int) -> list[Entry]:
    """Return what was where in a project as of ``seq``."""
    if seq == 0:
        return []
    now = await db.all(_NOW, _entry, project_id=project_id, seq=seq)
    return now or await db.all(_PAST, Entry, project_id=project_id, seq=seq)


def _entry(path: str, hash_: str | None, size: int, encoding: str) -> Entry:
    return Entry(path, hash_ or "", size, encoding)
