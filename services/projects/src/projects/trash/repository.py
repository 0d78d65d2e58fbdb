"""The SQL of the trash: statements above, the functions that run them below."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.orm import aliased

from common.database import Queries
from common.statements import word
from projects.permissions import membership
from projects.tables import MemberRow, ProjectRow

_P = ProjectRow
_OTHER = aliased(_P)
_PROJECT = bindparam("project_id", type_=sa.Uuid)
_HOLD = (
    sa.select(_P.deleted_at.is_not(None))
    .join(MemberRow, membership(bindparam("user_id", type_=sa.Uuid)))
    .where(_P.id == _PROJECT, MemberRow.role == word("owner"))
    .with_for_update(of=_P, key_share=True)
)
_LIVE_COUNT = (
    sa.select(sa.func.count())
    .where(_OTHER.owner_id == _P.owner_id, _OTHER.deleted_at.is_(None))
    .correlate(_P)
    .scalar_subquery()
)
_RESTORE = (
    sa.update(_P)
    .where(_P.id == _PROJECT, bindparam("count_max", type_=sa.BigInteger) > _LIVE_COUNT)
    .values(deleted_at=None)
    .returning(_P.name)
)


async def hold(tx: Queries, project_id: UUID, user_id: UUID) -> bool | None:
    """Hold a project that the user owns; return whether it is in the trash."""
    return await tx.one_or_none(_HOLD, bool, project_id=project_id, user_id=user_id)


async def restore(tx: Queries, project_id: UUID, count_max: int) -> str | None:
    """Take a project that is held out of the trash; ``None`` where its owner has enough others."""
    return await tx.one_or_none(_RESTORE, str, project_id=project_id, count_max=count_max)
