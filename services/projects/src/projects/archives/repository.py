"""The SQL of archives."""

from uuid import UUID

import sqlalchemy as sa

from common.database import Queries
from projects.permissions import visible
from projects.tables import ProjectRow

_P = ProjectRow
_NAME = visible(sa.select(_P.name))


async def name(db: Queries, project_id: UUID, user_id: UUID) -> str | None:
    """Return what the project is called, if the user may see it."""
    return await db.one_or_none(_NAME, str, project_id=project_id, user_id=user_id)
