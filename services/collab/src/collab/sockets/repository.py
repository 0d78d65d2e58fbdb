"""What is known of a project's members, whole."""

from uuid import UUID

import sqlalchemy as sa

from common.access import Access, AccessRow
from common.database import Queries

_NEWEST = sa.select(
    AccessRow.resource_id,
    AccessRow.version,
    AccessRow.is_public,
    AccessRow.is_deleted,
    AccessRow.roles,
).where(AccessRow.resource_id == sa.bindparam("resource_id", type_=sa.Uuid))


async def newest(db: Queries, project_id: UUID) -> Access | None:
    """Return the newest that was heard of a project."""
    return await db.one_or_none(_NEWEST, Access, resource_id=project_id)
