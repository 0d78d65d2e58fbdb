"""The SQL of quarantine."""

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy import bindparam

from assets.tables import ResumableRow, UploadRow
from common.database import Database

_IDS = bindparam("ids", type_=sa.ARRAY(sa.Text))
_KNOWN: sa.CompoundSelect[str | None] = sa.union_all(
    sa.select(UploadRow.multipart_id).where(UploadRow.multipart_id == sa.any_(_IDS)),
    sa.select(ResumableRow.multipart_id).where(ResumableRow.multipart_id == sa.any_(_IDS)),
)


async def known(db: Database, multipart_ids: Collection[str]) -> set[str]:
    """Return those that an upload still needs, or will be swept with it."""
    return set(await db.all(_KNOWN, str, ids=list(multipart_ids)))
