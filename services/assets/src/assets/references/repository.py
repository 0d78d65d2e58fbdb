"""The SQL of references: the statement above, the function that runs it below."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import bindparam

from assets.tables import AssetVersionRow
from common.database import Queries

_V = AssetVersionRow
_HASHES = (
    sa.select(_V.sha256)
    .where(_V.asset_id == bindparam("asset_id", type_=sa.Uuid))
    .group_by(_V.sha256)
    .order_by(sa.func.max(_V.version).desc())
)


async def hashes(db: Queries, asset_id: UUID) -> list[str]:
    """Return the hashes of an asset's versions, the newest first."""
    return await db.all(_HASHES, str, asset_id=asset_id)
