"""The SQL of presigned URLs that are used."""

from typing import Any

import sqlalchemy as sa

from assets.objects.types import Grant
from assets.permissions import WRITERS
from common.access import AccessRow, permits
from common.database import Database
from common.sharing import Shared
from common.statements import keys

_K = keys(user_id=sa.Text(), project_id=sa.Uuid())
_RIGHTS: Shared[Any, Any] = Shared(
    sa.select(_K.c.i, permits(_K.c.user_id), permits(_K.c.user_id, *WRITERS)).join(
        AccessRow, AccessRow.resource_id == _K.c.project_id
    ),
    ("user_id", "project_id"),
    lanes=1,
)


async def rights(db: Database, grant: Grant) -> tuple[bool, bool]:
    """Return whether the grant's user may read in its project now, and whether they may write."""
    row = await db.shared(_RIGHTS, user_id=str(grant.user_id), project_id=grant.project_id)
    return (bool(row[0]), bool(row[1])) if row else (False, False)
