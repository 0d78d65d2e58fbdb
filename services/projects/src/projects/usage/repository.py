"""The SQL of usage: the statement above, the function that runs it below."""

from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.orm import aliased

from common.database import Database
from projects.permissions import visible
from projects.tables import HeadRow, MemberRow, ProjectRow

_OTHER = aliased(MemberRow)
_MEMBERS = (
    sa.select(sa.func.count())
    .where(_OTHER.project_id == ProjectRow.id)
    .correlate(ProjectRow)
    .scalar_subquery()
)
_USED = visible(
    sa.select(
        MemberRow.role,
        sa.func.coalesce(HeadRow.bytes, 0),
        sa.func.coalesce(HeadRow.files, 0),
        _MEMBERS,
        sa.func.coalesce(HeadRow.seq, 0),
    )
).outerjoin(HeadRow, HeadRow.project_id == ProjectRow.id)


class Used(msgspec.Struct, frozen=True):
    """What a project holds, and the caller's role, if any."""

    role: str | None
    bytes: int
    files: int
    members: int
    seq: int


async def used(db: Database, project_id: UUID, user_id: UUID) -> Used | None:
    """Return what a project holds, if the user may see it."""
    return await db.one_or_none(_USED, Used, project_id=project_id, user_id=user_id)
