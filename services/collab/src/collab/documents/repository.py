"""Statements on documents and their logs."""

from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert

from collab.documents.types import Entry, Stored
from collab.tables import DocumentRow, DocumentUpdateRow, SpoiledDocumentRow
from common.database import Database, Queries
from common.ids import uuid7
from common.sharing import Shared
from common.statements import keys, word

_D, _U, _S = DocumentRow, DocumentUpdateRow, SpoiledDocumentRow
_ID = sa.bindparam("id", type_=sa.Uuid)
_PROJECT = sa.bindparam("project_id", type_=sa.Uuid)
_SEQ = sa.bindparam("seq", type_=sa.BigInteger)
_HASH = sa.bindparam("hash", type_=sa.Text)
_SNAPSHOT = sa.bindparam("snapshot", type_=sa.LargeBinary)


def _log[T](
    column: "sa.SQLColumnExpression[Any]", kind: "sa.types.TypeEngine[T]"
) -> "sa.Function[list[T]]":
    """A column of the log behind the snapshot, in order."""
    entries = (
        sa.select(column)
        .where(_U.document_id == _D.id, _U.seq > _D.snapshot_seq)
        .order_by(_U.seq)
        .correlate(_D)
        .scalar_subquery()
    )
    found: sa.Function[list[T]] = sa.func.array(entries, type_=ARRAY(kind))
    return found


_LOAD = sa.select(
    _D.id,
    _D.snapshot,
    _D.snapshot_seq,
    _D.written_seq,
    _D.file_hash,
    _D.seed,
    _log(_U.seq, sa.BigInteger()),
    _log(_U.data, sa.LargeBinary()),
    _log(sa.func.array_to_string(_U.actors, ",", type_=sa.Text), sa.Text()),
    _log(sa.func.coalesce(_U.file_hash, word("")), sa.Text()),
).where(_D.id == _ID)


async def load(db: Queries, document_id: UUID) -> Stored | None:
    """Read a document with its log, as of one moment."""
    return await db.one_or_none(_LOAD, Stored, id=document_id)


_CREATE = (
    insert(DocumentRow)
    .values(
        id=_ID,
        project_id=_PROJECT,
        snapshot=_SNAPSHOT,
        # behind all that a document of the file had before
        snapshot_seq=_SEQ,
        written_seq=_SEQ,
        file_hash=_HASH,
        seed=sa.bindparam("seed", type_=sa.BigInteger),
    )
    .on_conflict_do_nothing()
)


async def create(
    db: Queries,
    document_id: UUID,
    project_id: UUID,
    snapshot: bytes,
    *,
    seed: int,
    seq: int,
    digest: str,
) -> None:
    """Begin a document, unless somebody else has."""
    await db.run(
        _CREATE,
        id=document_id,
        project_id=project_id,
        snapshot=snapshot,
        hash=digest,
        seed=seed,
        seq=seq,
    )


_K = keys(
    document_id=sa.Uuid(),
    seq=sa.BigInteger(),
    data=sa.LargeBinary(),
    actors=sa.Text(),
    file_hash=sa.Text(),
)
_WRITTEN = (
    insert(DocumentUpdateRow)
    .from_select(
        ["document_id", "seq", "data", "actors", "file_hash"],
        sa.select(
            _K.c.document_id,
            _K.c.seq,
            _K.c.data,
            sa.cast(sa.func.string_to_array(_K.c.actors, ","), ARRAY(sa.Uuid)),
            _K.c.file_hash,
        ),
    )
    .on_conflict_do_nothing()
    .returning(_U.document_id, _U.seq)
    .cte("written")
)
_SAME = sa.exists().where(
    _U.document_id == _K.c.document_id,
    _U.seq == _K.c.seq,
    _U.data == _K.c.data,
    _U.actors == sa.cast(sa.func.string_to_array(_K.c.actors, ","), ARRAY(sa.Uuid)),
)
# a repetition after a lost answer finds its own entry, which is as good as having written it
_APPEND = Shared(
    sa.select(_K.c.i, sa.or_(_WRITTEN.c.seq.is_not(None), _SAME)).select_from(
        _K.outerjoin(
            _WRITTEN,
            sa.and_(_WRITTEN.c.document_id == _K.c.document_id, _WRITTEN.c.seq == _K.c.seq),
        )
    ),
    ("document_id", "seq", "data", "actors", "file_hash"),
)


async def append(db: Database, document_id: UUID, entry: Entry) -> bool:
    """Write an entry, together with those of other documents; false where its number is taken."""
    row = await db.shared(
        _APPEND,
        document_id=document_id,
        seq=entry.seq,
        data=entry.data,
        actors=entry.actors,
        file_hash=entry.file_hash,
    )
    return row is not None and bool(row[0])


_WROTE = (
    sa.update(DocumentRow)
    .where(_D.id == _ID, _D.written_seq <= _SEQ)
    .values(written_seq=_SEQ, file_hash=_HASH)
)
_COMPACT = (
    sa.update(DocumentRow)
    .where(_D.id == _ID, _D.snapshot_seq < _SEQ)
    .values(snapshot=_SNAPSHOT, snapshot_seq=_SEQ)
)
_TRIM = sa.delete(DocumentUpdateRow).where(_U.document_id == _ID, _U.seq <= _SEQ)


async def wrote(
    db: Database, document_id: UUID, seq: int, digest: str, snapshot: bytes | None
) -> None:
    """Remember that the file has the log up to ``seq``, which ``snapshot`` may stand for now."""
    if snapshot is None:
        await db.run(_WROTE, id=document_id, seq=seq, hash=digest)
        return
    async with db.transaction() as tx:
        await tx.run(_WROTE, id=document_id, seq=seq, hash=digest)
        await tx.run(_COMPACT, id=document_id, snapshot=snapshot, seq=seq)
        await tx.run(_TRIM, id=document_id, seq=seq)


_SEEDS = sa.any_(sa.bindparam("seeds", type_=ARRAY(sa.BigInteger)))
_OTHERS = sa.select(
    sa.exists().where(_D.project_id == _PROJECT, _D.seed == _SEEDS)
    | sa.exists().where(_S.project_id == _PROJECT, _S.seed == _SEEDS)
)


async def is_seed(db: Queries, project_id: UUID, seeds: list[int]) -> bool:
    """Whether one of the ids is that of the first text of any of a project's documents.

    Also of one that was put aside.
    """
    return await db.one(_OTHERS, bool, project_id=project_id, seeds=seeds)


_UNWRITTEN = sa.select(_D.id).where(
    _D.project_id == _PROJECT,
    sa.exists().where(_U.document_id == _D.id, _U.seq > _D.written_seq),
)


def _same(document_id: UUID) -> UUID:
    return document_id


async def unwritten(db: Queries, project_id: UUID) -> list[UUID]:
    """Return a project's documents whose logs their files may not have got whole."""
    return await db.all(_UNWRITTEN, _same, project_id=project_id)


# one more entry may be on its way to be written
_ASIDE = (
    insert(SpoiledDocumentRow)
    .from_select(
        ["id", "document_id", "project_id", "seed", "seq", "snapshot", "updates"],
        sa.select(
            sa.bindparam("aside_id", type_=sa.Uuid),
            _D.id,
            _D.project_id,
            _D.seed,
            _SEQ + 2,
            _D.snapshot,
            _log(_U.data, sa.LargeBinary()),
        ).where(_D.id == _ID, ~sa.exists().where(_U.document_id == _ID, _U.seq > _SEQ + 1)),
    )
    .returning(_S.id)
)
_END = sa.delete(DocumentRow).where(_D.id == _ID)
_END_LOG = sa.delete(DocumentUpdateRow).where(_U.document_id == _ID)


async def put_aside(db: Database, document_id: UUID, seq: int) -> bool:
    """Keep a document whose log ends with ``seq`` where nobody uses it.

    False where another process has gone on with it.
    """
    async with db.transaction() as tx:
        given = {"id": document_id, "seq": seq, "aside_id": uuid7()}
        if await tx.one_or_none(_ASIDE, _same, **given) is None:
            return False
        await tx.run(_END_LOG, id=document_id)
        await tx.run(_END, id=document_id)
    return True


_BEFORE = sa.select(sa.func.count(), sa.func.coalesce(sa.func.max(_S.seq), 0)).where(
    _S.document_id == _ID
)


class Before(msgspec.Struct, frozen=True):
    """How many documents of a file were put aside, and the last number that they used."""

    count: int
    seq: int


async def before(db: Queries, document_id: UUID) -> Before:
    """Return what a new document of a file must not repeat."""
    return await db.one(_BEFORE, Before, id=document_id)


_FORGET_LOGS = sa.delete(DocumentUpdateRow).where(
    _U.document_id.in_(sa.select(_D.id).where(_D.project_id == _PROJECT))
)
_FORGET = sa.delete(DocumentRow).where(_D.project_id == _PROJECT)
_FORGET_SPOILED = sa.delete(SpoiledDocumentRow).where(_S.project_id == _PROJECT)


async def forget(tx: Queries, project_id: UUID) -> None:
    """Delete the documents of a project that is no more."""
    await tx.run(_FORGET_SPOILED, project_id=project_id)
    await tx.run(_FORGET_LOGS, project_id=project_id)
    await tx.run(_FORGET, project_id=project_id)
