"""Statements on documents and their logs."""

from uuid import UUID

import asyncpg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert

from collab.documents.types import Entry, Stored
from collab.tables import DocumentRow, DocumentUpdateRow
from common.database import Database, Queries
from common.ids import uuid7
from common.sharing import Shared
from common.statements import keys

UNREACHABLE = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""What says that the database does not answer now."""

_ID = sa.bindparam("id", type_=sa.Uuid)
_PROJECT = sa.bindparam("project_id", type_=sa.Uuid)
_PATH = sa.bindparam("path", type_=sa.Text)
_HERE = sa.and_(
    DocumentRow.project_id == _PROJECT, DocumentRow.path == _PATH, DocumentRow.deleted_at.is_(None)
)
_OF_IT = sa.and_(
    DocumentUpdateRow.document_id == DocumentRow.id,
    DocumentUpdateRow.seq > DocumentRow.snapshot_seq,
)
_LOG = sa.func.array(
    sa.select(DocumentUpdateRow.data)
    .where(_OF_IT)
    .order_by(DocumentUpdateRow.seq)
    .correlate(DocumentRow)
    .scalar_subquery(),
    type_=ARRAY(sa.LargeBinary),
)
_LAST = (
    sa.select(sa.func.max(DocumentUpdateRow.seq))
    .where(_OF_IT)
    .correlate(DocumentRow)
    .scalar_subquery()
)
_LOAD = sa.select(
    DocumentRow.id,
    DocumentRow.snapshot,
    DocumentRow.snapshot_seq,
    DocumentRow.file_hash,
    DocumentRow.latest_hash,
    _LOG,
    _LAST,
).where(_HERE)


async def load(db: Queries, project_id: UUID, path: str) -> Stored | None:
    """Read a document with its log, as of one moment."""
    return await db.one_or_none(_LOAD, Stored, project_id=project_id, path=path)


_CREATE = (
    insert(DocumentRow)
    .values(
        id=_ID,
        project_id=_PROJECT,
        path=_PATH,
        snapshot=sa.bindparam("snapshot", type_=sa.LargeBinary),
        file_hash=sa.bindparam("hash", type_=sa.Text),
        latest_hash=sa.bindparam("hash", type_=sa.Text),
    )
    .on_conflict_do_nothing()
)


async def create(db: Queries, project_id: UUID, path: str, snapshot: bytes, digest: str) -> None:
    """Begin a document, unless somebody else has."""
    await db.run(
        _CREATE, id=uuid7(), project_id=project_id, path=path, snapshot=snapshot, hash=digest
    )


_K = keys(document_id=sa.Uuid(), seq=sa.BigInteger(), data=sa.LargeBinary(), actors=sa.Text())
_WRITTEN = (
    insert(DocumentUpdateRow)
    .from_select(
        ["document_id", "seq", "data", "actors"],
        sa.select(
            _K.c.document_id,
            _K.c.seq,
            _K.c.data,
            sa.cast(sa.func.string_to_array(_K.c.actors, ","), ARRAY(sa.Uuid)),
        ),
    )
    .on_conflict_do_nothing()
    .returning(DocumentUpdateRow.document_id, DocumentUpdateRow.seq)
    .cte("written")
)
_SAME = sa.exists().where(
    DocumentUpdateRow.document_id == _K.c.document_id,
    DocumentUpdateRow.seq == _K.c.seq,
    DocumentUpdateRow.data == _K.c.data,
)
# a repetition after a lost answer finds its own entry, which is as good as having written it
_APPEND = Shared(
    sa.select(_K.c.i, sa.or_(_WRITTEN.c.seq.is_not(None), _SAME)).select_from(
        _K.outerjoin(
            _WRITTEN,
            sa.and_(_WRITTEN.c.document_id == _K.c.document_id, _WRITTEN.c.seq == _K.c.seq),
        )
    ),
    ("document_id", "seq", "data", "actors"),
)


async def append(db: Database, document_id: UUID, entry: Entry) -> bool:
    """Write an entry, together with those of other documents; false where its number is taken."""
    row = await db.shared(
        _APPEND, document_id=document_id, seq=entry.seq, data=entry.data, actors=entry.actors
    )
    return row is not None and bool(row[0])


_SEQ = sa.bindparam("seq", type_=sa.BigInteger)
_COMPACT = (
    sa.update(DocumentRow)
    .where(DocumentRow.id == _ID, DocumentRow.snapshot_seq < _SEQ)
    .values(snapshot=sa.bindparam("snapshot", type_=sa.LargeBinary), snapshot_seq=_SEQ)
)
_TRIM = sa.delete(DocumentUpdateRow).where(
    DocumentUpdateRow.document_id == _ID, DocumentUpdateRow.seq <= _SEQ
)


async def compact(db: Database, document_id: UUID, snapshot: bytes, seq: int) -> None:
    """Let ``snapshot`` stand for the log up to ``seq``."""
    async with db.transaction() as tx:
        await tx.run(_COMPACT, id=document_id, snapshot=snapshot, seq=seq)
        await tx.run(_TRIM, id=document_id, seq=seq)


_HASH = sa.bindparam("hash", type_=sa.Text)
_CAUGHT_UP = (
    sa.update(DocumentRow).where(DocumentRow.id == _ID).values(file_hash=_HASH, latest_hash=_HASH)
)
_CHANGED = sa.update(DocumentRow).where(_HERE).values(latest_hash=_HASH)
_DELETED = sa.update(DocumentRow).where(_HERE).values(deleted_at=sa.func.now())
_TO = sa.bindparam("to", type_=sa.Text)
_AT_TARGET = sa.and_(
    DocumentRow.project_id == _PROJECT, DocumentRow.path == _TO, DocumentRow.deleted_at.is_(None)
)
_NEVER_EDITED = sa.and_(
    DocumentRow.snapshot_seq == 0,
    ~sa.exists().where(DocumentUpdateRow.document_id == DocumentRow.id),
)
_MAKE_ROOM = (
    sa.update(DocumentRow).where(_AT_TARGET, _NEVER_EDITED).values(deleted_at=sa.func.now())
)
_TAKEN = sa.select(DocumentRow.id).where(_AT_TARGET)
_MOVED = sa.update(DocumentRow).where(_HERE).values(path=_TO)


async def caught_up(db: Queries, document_id: UUID, digest: str) -> None:
    """Remember which content of the file the document has taken in."""
    await db.run(_CAUGHT_UP, id=document_id, hash=digest)


async def file_changed(db: Queries, project_id: UUID, path: str, digest: str) -> None:
    """Remember which content the file has."""
    await db.run(_CHANGED, project_id=project_id, path=path, hash=digest)


async def file_deleted(db: Queries, project_id: UUID, path: str) -> None:
    """End the document; one that is made at the same path later is another."""
    await db.run(_DELETED, project_id=project_id, path=path)


async def file_moved(db: Queries, project_id: UUID, path: str, to: str) -> None:
    """Take the document along.

    Somebody may have opened the new path before the news of the move came, which began a document
    there: it gives way as long as nobody has typed into it.
    """
    await db.run(_MAKE_ROOM, project_id=project_id, to=to)
    if await db.one_or_none(_TAKEN, _same, project_id=project_id, to=to) is None:
        await db.run(_MOVED, project_id=project_id, path=path, to=to)
    else:
        await file_deleted(db, project_id, path)


def _same(document_id: UUID) -> UUID:
    return document_id
