"""The SQL of delivery."""

from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam

from assets.tables import AssetRow, AssetVersionRow
from common.access import AccessRow
from common.database import Database


class Published(msgspec.Struct, frozen=True):
    """Bytes that everybody may have."""

    project_id: UUID
    size: int
    mime_type: str
    sha256: str


_V = AssetVersionRow
_IN_PUBLIC = (
    sa.select(_V.project_id, _V.size, _V.mime_type, _V.sha256)
    .join(AssetRow, AssetRow.id == _V.asset_id)
    .join(AccessRow, AccessRow.resource_id == _V.project_id)
    .where(
        _V.sha256 == bindparam("sha256", type_=sa.Text), AccessRow.is_public, ~AccessRow.is_deleted
    )
    .order_by(AssetRow.id)
    .limit(1)
)
_PUBLISHED = _IN_PUBLIC.where(AssetRow.deleted_at.is_(None))


async def published(db: Database, sha256: str) -> Published | None:
    """Return what a public project's library has under the hash, now or in a version."""
    return await db.one_or_none(_PUBLISHED, Published, sha256=sha256)


async def withdrawn(db: Database, sha256: str) -> bool:
    """Whether a public project had bytes of the hash, and has not collected them yet."""
    return await db.one_or_none(_IN_PUBLIC, Published, sha256=sha256) is not None
