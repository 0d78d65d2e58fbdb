"""The SQL of references: statements above, the functions that run them below."""

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

_HASHES_OF = (
    sa.select(_V.asset_id, _V.sha256)
    .where(_V.asset_id == sa.any_(bindparam("ids", type_=sa.ARRAY(sa.Uuid))))
    .distinct()
)


async def hashes(db: Queries, asset_id: UUID) -> list[str]:
    """Return the hashes of an asset's versions, the newest first."""
    return await db.all(_HASHES, str, asset_id=asset_id)


async def hashes_of(db: Queries, ids: list[UUID]) -> dict[UUID, list[str]]:
    """Return the hashes of the versions of many assets."""
    found: dict[UUID, list[str]] = {}
    for asset_id, sha256 in await db.all(_HASHES_OF, _pair, ids=ids):
        found.setdefault(asset_id, []).append(sha256)
    return found


def _pair(asset_id: UUID, sha256: str) -> tuple[UUID, str]:
    return asset_id, sha256
