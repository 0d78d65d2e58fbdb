"""The SQL of presigned uploads: statements above, the functions that run them below."""

from datetime import datetime
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import insert

from assets.permissions import WRITERS
from assets.tables import STORED, AssetRow, UploadRow
from assets.types import Stored
from common.access import AccessRow, permits
from common.database import Database, Queries

_U = UploadRow
_USER = bindparam("user_id", type_=sa.Uuid)
_PROJECT = bindparam("project_id", type_=sa.Uuid)
_ID = bindparam("id", type_=sa.Uuid)
_MAY_WRITE = sa.and_(AccessRow.resource_id == _PROJECT, permits(sa.cast(_USER, sa.Text), *WRITERS))


class Pending(msgspec.Struct, frozen=True):
    """A presigned upload; ``asset_id`` is what became of it."""

    id: UUID
    project_id: UUID
    user_id: UUID
    name: str
    type: str | None
    content_type: str
    size: int
    sha256: str | None
    multipart_id: str | None
    part_size: int | None
    asset_id: UUID | None
    expires_at: datetime


class Expired(msgspec.Struct, frozen=True):
    """An upload whose URLs are dead."""

    id: UUID
    multipart_id: str | None


_BEGIN = (
    insert(_U)
    .from_select(
        [field.name for field in msgspec.structs.fields(Pending) if field.name != "asset_id"],
        sa.select(
            _ID,
            AccessRow.resource_id,
            _USER,
            bindparam("name", type_=sa.Text),
            bindparam("type", type_=sa.Text),
            bindparam("content_type", type_=sa.Text),
            bindparam("size", type_=sa.BigInteger),
            bindparam("sha256", type_=sa.Text),
            bindparam("multipart_id", type_=sa.Text),
            bindparam("part_size", type_=sa.BigInteger),
            bindparam("expires_at", type_=sa.DateTime(timezone=True)),
        ).where(_MAY_WRITE),
    )
    .returning(_U.id)
)
_PENDING = sa.select(
    _U.id,
    _U.project_id,
    _U.user_id,
    _U.name,
    _U.type,
    _U.content_type,
    _U.size,
    _U.sha256,
    _U.multipart_id,
    _U.part_size,
    _U.asset_id,
    _U.expires_at,
).where(_U.id == _ID, _U.user_id == _USER, _U.aborted_at.is_(None))
_HOLD = _PENDING.with_for_update()
_FINISH = sa.update(_U).where(_U.id == _ID).values(asset_id=bindparam("asset_id", type_=sa.Uuid))
_ABORT = (
    sa.update(_U)
    .where(_U.id == _ID, _U.aborted_at.is_(None), _U.asset_id.is_(None))
    .values(aborted_at=sa.func.now())
)
_EXPIRED = (
    sa.select(_U.id, _U.multipart_id)
    .where(_U.expires_at < bindparam("before", type_=sa.DateTime(timezone=True)))
    .order_by(_U.expires_at)
    .limit(bindparam("limit", type_=sa.BigInteger))
)
_FORGET = sa.delete(_U).where(_U.id == sa.any_(bindparam("ids", type_=sa.ARRAY(sa.Uuid))))
_ASSET = sa.select(*STORED).where(AssetRow.id == _ID, AssetRow.deleted_at.is_(None))


async def begin(db: Queries, pending: Pending) -> bool:
    """Remember a presigned upload; false where the user may not write to the project."""
    values = msgspec.structs.asdict(pending)
    return await db.one_or_none(_BEGIN, _same, **values) is not None


async def pending(db: Database, upload_id: UUID, user_id: UUID) -> Pending | None:
    """Return the user's upload, unless it was aborted."""
    return await db.one_or_none(_PENDING, Pending, id=upload_id, user_id=user_id)


async def hold(db: Queries, upload_id: UUID, user_id: UUID) -> Pending | None:
    """Return the user's upload, and let nobody else finish or abort it in this transaction."""
    return await db.one_or_none(_HOLD, Pending, id=upload_id, user_id=user_id)


async def finish(db: Queries, upload_id: UUID, asset_id: UUID) -> None:
    """Remember what became of an upload."""
    await db.run(_FINISH, id=upload_id, asset_id=asset_id)


async def abort(db: Queries, upload_id: UUID) -> None:
    """Let the upload never become an asset."""
    await db.run(_ABORT, id=upload_id)


async def expired(db: Database, before: datetime, limit: int) -> list[Expired]:
    """Return uploads whose URLs were good until ``before`` at most."""
    return await db.all(_EXPIRED, Expired, before=before, limit=limit)


async def forget(db: Database, ids: list[UUID]) -> None:
    """Drop uploads, finished or not."""
    await db.run(_FORGET, ids=ids)


def _same(upload_id: UUID) -> UUID:
    return upload_id


async def asset(db: Queries, asset_id: UUID) -> Stored | None:
    """Return the asset."""
    return await db.one_or_none(_ASSET, Stored, id=asset_id)
