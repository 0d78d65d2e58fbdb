"""The SQL of presigned URLs that are used."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from assets.objects.types import Grant
from assets.permissions import WRITERS
from assets.tables import UploadRow
from common.access import AccessRow, permits
from common.database import Database
from common.sharing import Shared
from common.statements import keys

_K = keys(user_id=sa.Text(), project_id=sa.Uuid(), upload_id=sa.Uuid())
# an upload that is over, or was given up, takes nothing more: it would lie there uncounted
_IS_OPEN = sa.exists().where(
    UploadRow.id == _K.c.upload_id,
    UploadRow.project_id == _K.c.project_id,
    UploadRow.asset_id.is_(None),
    UploadRow.aborted_at.is_(None),
)
_RIGHTS: Shared[Any, Any] = Shared(
    sa.select(
        _K.c.i, permits(_K.c.user_id), sa.and_(permits(_K.c.user_id, *WRITERS), _IS_OPEN)
    ).join(AccessRow, AccessRow.resource_id == _K.c.project_id),
    ("user_id", "project_id", "upload_id"),
    lanes=1,
)


async def rights(db: Database, grant: Grant, upload_id: UUID | None) -> tuple[bool, bool]:
    """Return whether the grant's user may read in its project now, and send that upload."""
    row = await db.shared(
        _RIGHTS, user_id=str(grant.user_id), project_id=grant.project_id, upload_id=upload_id
    )
    return (bool(row[0]), bool(row[1])) if row else (False, False)
