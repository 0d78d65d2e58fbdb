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
from projects.tables import ProjectRow

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
        bindparam("count_max", type_=sa.BigInteger) > _COUNT,
    )
)
_THEN = files_at(
    bindparam("project_id", type_=sa.Uuid), bindparam("seq", type_=sa.BigInteger)
).subquery("then")
_ENTRIES = sa.select(_THEN.c.path, _THEN.c.hash, _THEN.c.size, _THEN.c.encoding).order_by(
    _THEN.c.path
)


async def source(db: Queries, project_id: UUID, user_id: UUID, count_max: int) -> Source | None:
    """Return what a copy is made from, if the user may see it."""
    return await db.one_or_none(
        _SOURCE, Source, project_id=project_id, user_id=user_id, count_max=count_max
    )


async def entries(db: Queries, project_id: UUID, seq: int) -> list[Entry]:
    """Return what was where in a project as of ``seq``."""
    return await db.all(_ENTRIES, Entry, project_id=project_id, seq=seq)
