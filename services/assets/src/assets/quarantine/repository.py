"""The SQL of quarantine: statements above, the functions that run them below."""

from collections.abc import Collection
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam

from assets import turns
from assets.tables import LibraryRow, ResumableRow, UploadRow
from common.database import Database, Queries

_IDS = bindparam("ids", type_=sa.ARRAY(sa.Text))
_KNOWN: sa.CompoundSelect[str | None] = sa.union_all(
    sa.select(UploadRow.multipart_id).where(UploadRow.multipart_id == sa.any_(_IDS)),
    sa.select(ResumableRow.multipart_id).where(ResumableRow.multipart_id == sa.any_(_IDS)),
)

_PROJECT = bindparam("project_id", type_=sa.Uuid)
_waiting = sa.union_all(
    sa.select(UploadRow.size).where(
        UploadRow.project_id == _PROJECT,
        UploadRow.asset_id.is_(None),
        UploadRow.aborted_at.is_(None),
    ),
    sa.select(ResumableRow.size).where(
        ResumableRow.project_id == _PROJECT,
        ResumableRow.asset_id.is_(None),
        ResumableRow.ended_at.is_(None),
    ),
).subquery("waiting")
_ROOM = sa.select(
    sa.func.count(),
    sa.cast(sa.func.coalesce(sa.func.sum(_waiting.c.size), 0), sa.BigInteger),
    sa.func.coalesce(
        sa.select(LibraryRow.bytes).where(LibraryRow.project_id == _PROJECT).scalar_subquery(), 0
    ),
).select_from(_waiting)


class Room(msgspec.Struct, frozen=True):
    """What is on its way to a project, and what its library has."""

    waiting: int
    waiting_bytes: int
    library_bytes: int


async def room(tx: Queries, project_id: UUID) -> Room:
    """Return what is on its way; nobody else begins anything there in this transaction."""
    await turns.take(tx, "uploads", project_id)
    return await tx.one(_ROOM, Room, project_id=project_id)


_UPLOADS = bindparam("ids", type_=sa.ARRAY(sa.Uuid))
_KNOWN_IDS = sa.union_all(
    sa.select(UploadRow.id).where(UploadRow.id == sa.any_(_UPLOADS)),
    sa.select(ResumableRow.id).where(ResumableRow.id == sa.any_(_UPLOADS)),
)


async def known_ids(db: Database, upload_ids: Collection[UUID]) -> set[UUID]:
    """Return those of the uploads that are not forgotten."""
    return set(await db.all(_KNOWN_IDS, _same, ids=list(set(upload_ids))))


def _same(upload_id: UUID) -> UUID:
    return upload_id


async def known(db: Database, multipart_ids: Collection[str]) -> set[str]:
    """Return those that an upload still needs, or will be swept with it."""
    return set(await db.all(_KNOWN, str, ids=list(multipart_ids)))
