"""The SQL of delivery."""

from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam

from assets.tables import AssetRow
from common.access import AccessRow
from common.database import Database


class Published(msgspec.Struct, frozen=True):
    """Bytes that everybody may have."""

    project_id: UUID
    size: int
    mime_type: str
    sha256: str


_PUBLISHED = (
    sa.select(AssetRow.project_id, AssetRow.size, AssetRow.mime_type, AssetRow.sha256)
    .join(AccessRow, AccessRow.resource_id == AssetRow.project_id)
    .where(
        AssetRow.sha256 == bindparam("sha256", type_=sa.Text),
        AccessRow.is_public,
        ~AccessRow.is_deleted,
    )
    .order_by(AssetRow.id)
    .limit(1)
)


async def published(db: Database, sha256: str) -> Published | None:
    """Return what a public project has under the hash."""
    return await db.one_or_none(_PUBLISHED, Published, sha256=sha256)
