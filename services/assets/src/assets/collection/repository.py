"""The SQL of collection: statements above, the functions that run them below."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import insert

from assets.collection.types import Deleted
from assets.made_tables import JobRow
from assets.tables import AssetRow, BlobRow, LibraryRow, ResumableRow, UploadRow
from common.access import AccessRow
from common.database import Database, Queries

_A, _B, _L = AssetRow, BlobRow, LibraryRow
_PROJECT = bindparam("project_id", type_=sa.Uuid)
_IDS = bindparam("ids", type_=sa.ARRAY(sa.Uuid))
_LIMIT = bindparam("limit", type_=sa.BigInteger)
_THEN = sa.func.now() - sa.func.make_interval(0, 0, 0, 0, 0, 0, bindparam("age_s", type_=sa.Double))
_STRETCH = 5_000

_IS_OLD = _A.deleted_at < _THEN
_DELETED: Any = sa.select(
    _A.id, _A.project_id, _A.name, _A.deleted_at, _IS_OLD, _A.mentioned_at.is_not(None)
).where(_A.deleted_at.is_not(None))
_FORSAKEN = (
    _DELETED.where(
        _IS_OLD,
        _A.mentioned_at.is_(None),
        sa.tuple_(_A.deleted_at, _A.id)
        > sa.tuple_(
            bindparam("after", type_=sa.DateTime(timezone=True)),
            bindparam("after_id", type_=sa.Uuid),
        ),
    )
    .order_by(_A.deleted_at, _A.id)
    .limit(_LIMIT)
)
_DELETED_OF = _DELETED.where(_A.project_id == _PROJECT).order_by(_A.deleted_at)
_COUNT = sa.select(sa.func.count()).where(_A.project_id == _PROJECT, _A.deleted_at.is_(None))
_KEEP = (
    sa.update(_A)
    .where(_A.id == sa.any_(_IDS), _A.deleted_at.is_not(None))
    .values(mentioned_at=sa.func.now())
)
# what came back meanwhile stays, even if it was deleted once more
_FORGET = sa.delete(_A).where(_A.id == sa.any_(_IDS), _IS_OLD).returning(_A.id)

_some = sa.select(_A.id).where(_A.project_id == _PROJECT).limit(_STRETCH)
_gone = sa.delete(_A).where(_A.id.in_(_some)).returning(_A.id).cte("gone")
_EMPTY = sa.select(sa.func.count()).select_from(_gone)
_ABORT = (
    sa.update(UploadRow)
    .where(
        UploadRow.project_id == _PROJECT,
        UploadRow.asset_id.is_(None),
        UploadRow.aborted_at.is_(None),
    )
    .values(aborted_at=sa.func.now())
)
_END = (
    sa.update(ResumableRow)
    .where(
        ResumableRow.project_id == _PROJECT,
        ResumableRow.asset_id.is_(None),
        ResumableRow.ended_at.is_(None),
    )
    .values(ended_at=sa.func.now(), expires_at=sa.func.now())
)
_CANCEL = sa.delete(JobRow).where(JobRow.project_id == _PROJECT)
_first = insert(_L).values(project_id=_PROJECT, bytes=0, bytes_max=0, purged_at=sa.func.now())
_PURGE = _first.on_conflict_do_update(
    index_elements=[_L.project_id],
    set_={"purged_at": sa.func.coalesce(_L.purged_at, _first.excluded.purged_at)},
)
_has_blobs = sa.exists().where(_B.project_id == _L.project_id).correlate(_L)
_PURGED = sa.select(_L.project_id).where(_L.purged_at.is_not(None))
_CLOSE = sa.delete(_L).where(_L.purged_at < _THEN, ~_has_blobs)
_owns_blobs = sa.exists().where(_B.project_id == AccessRow.resource_id).correlate(AccessRow)
_is_purged = (
    sa.exists()
    .where(_L.project_id == AccessRow.resource_id, _L.purged_at.is_not(None))
    .correlate(AccessRow)
)
_TRASHED = (
    sa.select(AccessRow.resource_id)
    .where(
        AccessRow.is_deleted,
        AccessRow.learned_at < _THEN,
        AccessRow.resource_id > bindparam("after_id", type_=sa.Uuid),
        _owns_blobs,
        ~_is_purged,
    )
    .order_by(AccessRow.resource_id)
    .limit(_LIMIT)
)


async def forsaken(
    db: Database, age_s: float, limit: int, after: tuple[datetime, UUID]
) -> list[Deleted]:
    """Return the next assets that were deleted so long ago, and that no text was found to name."""
    moment, asset_id = after
    given = {"age_s": age_s, "limit": limit, "after": moment, "after_id": asset_id}
    return await db.all(_FORSAKEN, Deleted, **given)


async def deleted_of(db: Database, project_id: UUID, age_s: float) -> list[Deleted]:
    """Return a project's deleted assets."""
    return await db.all(_DELETED_OF, Deleted, project_id=project_id, age_s=age_s)


async def count(db: Database, project_id: UUID) -> int:
    """Return how many assets are in a project's library."""
    return await db.one(_COUNT, int, project_id=project_id)


async def keep(db: Database, ids: list[UUID]) -> None:
    """Note that texts name deleted assets: nobody has to look again."""
    await db.run(_KEEP, ids=ids)


async def forget(db: Database, ids: list[UUID], age_s: float) -> int:
    """Delete assets and their versions for good, unless they came back; return how many went."""
    return len(await db.all(_FORGET, _same, ids=ids, age_s=age_s))


async def purge(tx: Queries, project_id: UUID) -> None:
    """Delete all that a project had but its blobs, which nothing needs from now on."""
    await tx.run(_PURGE, project_id=project_id)
    await tx.run(_ABORT, project_id=project_id)
    await tx.run(_END, project_id=project_id)
    await tx.run(_CANCEL, project_id=project_id)
    await empty(tx, project_id)


async def empty(tx: Queries, project_id: UUID) -> None:
    """Delete a project's assets and their versions, some at a time."""
    while await tx.one(_EMPTY, int, project_id=project_id) == _STRETCH:
        pass


async def purged(db: Database) -> list[UUID]:
    """Return the projects that are gone for good, and not collected yet."""
    return await db.all(_PURGED, _same)


async def close(db: Database, age_s: float) -> None:
    """Forget projects that were gone so long ago, and of which nothing is left."""
    await db.run(_CLOSE, age_s=age_s)


async def trashed(db: Database, age_s: float, limit: int, after: UUID) -> list[UUID]:
    """Return the next projects that have been in the trash for so long, or are gone unheard."""
    given = {"age_s": age_s, "limit": limit, "after_id": after}
    return await db.all(_TRASHED, _same, **given)


def _same(found: UUID) -> UUID:
    return found
