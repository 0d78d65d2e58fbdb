"""The SQL of copies: the statement above, the function that runs it below."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.orm import aliased

from common.database import Queries
from projects.copies.types import Source
from projects.past import head_seq
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


async def source(db: Queries, project_id: UUID, user_id: UUID, count_max: int) -> Source | None:
    """Return what a copy is made from, if the user may see it."""
    return await db.one_or_none(
        _SOURCE, Source, project_id=project_id, user_id=user_id, count_max=count_max
    )
