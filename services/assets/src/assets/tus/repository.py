"""The SQL of resumable uploads: statements above, the functions that run them below."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import JSONB, insert

from assets.permissions import WRITERS
from assets.tables import ResumableRow
from assets.tus.types import Resumable
from common.access import AccessRow, permits
from common.database import Database, Queries
from common.multipart import Part

_R = ResumableRow
_ID = bindparam("id", type_=sa.Uuid)
_USER = bindparam("user_id", type_=sa.Uuid)
_LEASE = bindparam("lease", type_=sa.Uuid)
_UNTIL = sa.func.now() + bindparam("lease_s", type_=sa.Interval)
_MAY_WRITE = sa.and_(
    AccessRow.resource_id == bindparam("project_id", type_=sa.Uuid),
    permits(sa.cast(_USER, sa.Text), *WRITERS),
)
_MINE = (_R.id == _ID, _R.lease == _LEASE, _R.ended_at.is_(None))
_COLUMNS = (
    _R.id,
    _R.project_id,
    _R.user_id,
    _R.name,
    _R.content_type,
    _R.size,
    _R.sha256,
    _R.multipart_id,
    _R.received,
    _R.parts,
    _R.tail,
    _R.asset_id,
    _R.ended_at.is_not(None),
    _R.expires_at,
)


class New(msgspec.Struct, frozen=True):
    """An upload of which nothing has come."""

    id: UUID
    project_id: UUID
    user_id: UUID
    name: str
    content_type: str
    size: int
    sha256: str | None
    multipart_id: str
    expires_at: datetime


class Expired(msgspec.Struct, frozen=True):
    """An upload that nobody goes on with."""

    id: UUID
    multipart_id: str


_BEGIN = (
    insert(_R)
    .from_select(
        [field.name for field in msgspec.structs.fields(New)],
        sa.select(
            _ID,
            AccessRow.resource_id,
            _USER,
            bindparam("name", type_=sa.Text),
            bindparam("content_type", type_=sa.Text),
            bindparam("size", type_=sa.BigInteger),
            bindparam("sha256", type_=sa.Text),
            bindparam("multipart_id", type_=sa.Text),
            bindparam("expires_at", type_=sa.DateTime(timezone=True)),
        ).where(_MAY_WRITE),
    )
    .returning(_R.id)
)
_FIND = sa.select(*_COLUMNS).where(_R.id == _ID, _R.user_id == _USER)
_TAKE = (
    sa.update(_R)
    .where(
        _R.id == _ID,
        _R.received == bindparam("offset", type_=sa.BigInteger),
        _R.asset_id.is_(None),
        _R.ended_at.is_(None),
        sa.or_(_R.lease.is_(None), _R.leased_until < sa.func.now()),
    )
    .values(lease=_LEASE, leased_until=_UNTIL)
    .returning(*_COLUMNS)
)
_RENEW = sa.update(_R).where(*_MINE).values(leased_until=_UNTIL).returning(_R.id)
_NUMBER = (
    sa.update(_R)
    .where(*_MINE)
    .values(next_number=_R.next_number + 1, leased_until=_UNTIL)
    .returning(_R.next_number - 1)
)
_ADVANCE = (
    sa.update(_R)
    .where(*_MINE)
    .values(
        parts=_R.parts.concat(bindparam("parts", type_=JSONB)),
        tail=bindparam("tail", type_=sa.BigInteger),
        received=bindparam("received", type_=sa.BigInteger),
        leased_until=_UNTIL,
    )
    .returning(_R.id)
)
_RELEASE = (
    sa.update(_R)
    .where(_R.id == _ID, _R.lease == _LEASE)
    .values(lease=sa.null(), leased_until=sa.null())
)
_HOLD = sa.select(_R.id).where(_R.id == _ID, _R.ended_at.is_(None)).with_for_update()
_FINISH = sa.update(_R).where(_R.id == _ID).values(asset_id=bindparam("asset_id", type_=sa.Uuid))
_END = (
    sa.update(_R)
    .where(_R.id == _ID, _R.asset_id.is_(None), _R.ended_at.is_(None))
    .values(ended_at=sa.func.now(), expires_at=sa.func.now())
    .returning(_R.id)
)
_EXPIRED = (
    sa.select(_R.id, _R.multipart_id)
    .where(_R.expires_at < bindparam("before", type_=sa.DateTime(timezone=True)))
    .order_by(_R.expires_at)
    .limit(bindparam("limit", type_=sa.BigInteger))
)
_FORGET = sa.delete(_R).where(_R.id == sa.any_(bindparam("ids", type_=sa.ARRAY(sa.Uuid))))


async def begin(db: Queries, new: New) -> bool:
    """Remember an upload; false where the user may not write to the project."""
    return await db.one_or_none(_BEGIN, _same, **msgspec.structs.asdict(new)) is not None


async def find(db: Queries, upload_id: UUID, user_id: UUID) -> Resumable | None:
    """Return the user's upload, ended or not."""
    return await db.one_or_none(_FIND, _resumable, id=upload_id, user_id=user_id)


async def take(
    db: Database, upload_id: UUID, offset: int, lease: UUID, lease_s: float
) -> Resumable | None:
    """Let nobody else go on with an upload for a while; ``None`` where it is not at ``offset``.

    Or where somebody else is at it, or it is over.
    """
    return await db.one_or_none(
        _TAKE, _resumable, id=upload_id, offset=offset, lease=lease, lease_s=_time(lease_s)
    )


async def renew(db: Database, upload_id: UUID, lease: UUID, lease_s: float) -> bool:
    """Keep others away for longer; false where the lease is lost."""
    got = await db.one_or_none(_RENEW, _same, id=upload_id, lease=lease, lease_s=_time(lease_s))
    return got is not None


async def numbered(db: Database, upload_id: UUID, lease: UUID, lease_s: float) -> int | None:
    """Return a number that nothing of this upload had; ``None`` where the lease is lost."""
    return await db.one_or_none(_NUMBER, int, id=upload_id, lease=lease, lease_s=_time(lease_s))


async def advance(
    db: Database,
    upload_id: UUID,
    lease: UUID,
    lease_s: float,
    *,
    parts: Sequence[Part],
    tail: int | None,
    received: int,
) -> bool:
    """Acknowledge what the store has; false where the lease is lost."""
    got = await db.one_or_none(
        _ADVANCE,
        _same,
        id=upload_id,
        lease=lease,
        lease_s=_time(lease_s),
        parts=msgspec.to_builtins(parts),
        tail=tail,
        received=received,
    )
    return got is not None


async def release(db: Database, upload_id: UUID, lease: UUID) -> None:
    """Let others go on."""
    await db.run(_RELEASE, id=upload_id, lease=lease)


async def hold(db: Queries, upload_id: UUID) -> bool:
    """Let nobody end the upload in this transaction; false where somebody did."""
    return await db.one_or_none(_HOLD, _same, id=upload_id) is not None


async def finish(db: Queries, upload_id: UUID, asset_id: UUID) -> None:
    """Remember what became of an upload."""
    await db.run(_FINISH, id=upload_id, asset_id=asset_id)


async def end(db: Database, upload_id: UUID) -> bool:
    """Let the upload never become an asset; false where it is one."""
    return await db.one_or_none(_END, _same, id=upload_id) is not None


async def expired(db: Database, before: datetime, limit: int) -> list[Expired]:
    """Return uploads that were over ``before``."""
    return await db.all(_EXPIRED, Expired, before=before, limit=limit)


async def forget(db: Database, ids: list[UUID]) -> None:
    """Drop uploads, finished or not."""
    await db.run(_FORGET, ids=ids)


def _same(upload_id: UUID) -> UUID:
    return upload_id


def _time(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def _resumable(*row: Any) -> Resumable:  # noqa: ANN401 - the columns above, in their order
    given = dict(zip(Resumable.__struct_fields__, row, strict=True))
    return Resumable(**(given | {"parts": msgspec.convert(given["parts"], list[Part])}))
