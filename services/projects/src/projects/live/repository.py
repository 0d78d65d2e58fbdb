"""The SQL of files that are open live: statements above, the functions that run them below."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased

from common.database import Queries
from common.statements import unnested, word
from projects import marks
from projects.history_tables import FileVersionRow
from projects.live.types import Asked
from projects.permissions import visible
from projects.tables import BlobRow, FileRow, LiveFileRow, ProjectRow

type _Seen = tuple[
    UUID, str | None, str | None, int, int, UUID | None, bool, str | None, bytes | None
]
type _Aim = tuple[int | None, int | None, str | None, str | None, int | None]

_F, _L, _P, _V = FileRow, LiveFileRow, ProjectRow, aliased(FileVersionRow)
_PROJECT = bindparam("project_id", type_=sa.Uuid)
_DOCUMENT = bindparam("document_id", type_=sa.Uuid)
_EPOCH = bindparam("epoch", type_=sa.BigInteger)
_BYTES_MAX = bindparam("bytes_max", type_=sa.BigInteger)
_ZERO = sa.literal_column("0", sa.BigInteger)
_TEXT = sa.Text()


def _place_of(document_id: Any) -> "sa.ScalarSelect[str]":  # noqa: ANN401 - a column or a parameter
    """Where a document went last, by its history: whether it still is there the file says."""
    return (
        sa.select(_V.path)
        .where(_V.project_id == _PROJECT, _V.document_id == document_id)
        .order_by(_V.seq.desc())
        .limit(1)
        .correlate_except(_V)
        .scalar_subquery()
    )


def _seen(
    f: Any,  # noqa: ANN401 - a file's columns, wherever they stand
    document_id: Any,  # noqa: ANN401 - a column
    flushed_seq: Any,  # noqa: ANN401 - a column
    is_text: "sa.ColumnElement[bool]",
    known: Any,  # noqa: ANN401 - a column or a parameter
) -> "sa.Select[*_Seen]":
    """The columns of ``Seen``; of the content only what is to be sent."""
    is_sent = is_text & f.hash.is_distinct_from(known)
    return sa.select(
        document_id,
        f.path,
        f.hash,
        sa.func.coalesce(f.version, _ZERO),
        sa.func.coalesce(flushed_seq, _ZERO),
        f.updated_by,
        is_text,
        sa.case((is_sent, f.hash)),
        sa.case((is_sent, BlobRow.content)),
    )


def _open() -> "sa.Select[*_Seen]":
    """Mark a file that may be typed into, and tell what is in it."""
    file = (
        sa.select(_F)
        .join(_P, _P.id == _F.project_id)
        .where(
            _F.project_id == _PROJECT,
            _F.path == bindparam("path", type_=_TEXT),
            _F.hash.is_not(None),
            _F.encoding == word("utf-8"),
            _F.size <= _BYTES_MAX,
            _P.deleted_at.is_(None),
        )
        .cte("file")
    )
    row = sa.select(file.c.document_id, file.c.project_id, _EPOCH, _BYTES_MAX)
    new = insert(_L).from_select(["document_id", "project_id", "epoch", "bytes_max"], row)
    marked = (
        new.on_conflict_do_update(
            index_elements=[_L.document_id],
            set_={
                "epoch": sa.func.greatest(_L.epoch, new.excluded.epoch),
                "bytes_max": new.excluded.bytes_max,
            },
        )
        .returning(_L.flushed_seq)
        .cte("marked")
    )
    f, known = file.c, bindparam("known", type_=_TEXT)
    return _seen(f, f.document_id, marked.c.flushed_seq, sa.true(), known).select_from(
        file.join(marked, sa.true()).join(BlobRow, BlobRow.hash == f.hash)
    )


def _look() -> "sa.Select[*_Seen]":
    asked = unnested("asked", {"document_id": sa.Uuid(), "known": _TEXT})
    a = asked.c
    is_there = sa.and_(
        _F.project_id == _P.id,
        _F.path == _place_of(a.document_id),
        _F.document_id == a.document_id,
        _F.hash.is_not(None),
    )
    is_small = _F.size <= sa.func.coalesce(_L.bytes_max, _BYTES_MAX)
    is_text = sa.func.coalesce((_F.encoding == word("utf-8")) & is_small, sa.false())
    return (
        _seen(_F, a.document_id, _L.flushed_seq, is_text, a.known)
        .select_from(asked)
        .outerjoin(_P, (_P.id == _PROJECT) & _P.deleted_at.is_(None))
        .outerjoin(_L, (_L.document_id == a.document_id) & (_L.project_id == _PROJECT))
        .outerjoin(_F, is_there)
        .outerjoin(BlobRow, BlobRow.hash == _F.hash)
    )


def _target(*, is_held: bool) -> "sa.Select[*_Aim]":
    """A document's mark and file; held, both stay as they are until the transaction ends."""
    file = sa.select(_F.path, _F.hash, _F.version).where(
        _F.project_id == _PROJECT, _F.path == _place_of(_DOCUMENT), _F.document_id == _DOCUMENT
    )
    mark = sa.select(_L.epoch, _L.flushed_seq).where(
        _L.document_id == _DOCUMENT, _L.project_id == _PROJECT
    )
    if is_held:
        file = file.with_for_update(of=_F, key_share=True)
        mark = mark.with_for_update(of=_L)
    f, m = file.cte("file"), mark.cte("mark")
    return (
        sa.select(m.c.epoch, m.c.flushed_seq, f.c.path, f.c.hash, f.c.version)
        .select_from(_P)
        .outerjoin(m, sa.true())
        .outerjoin(f, sa.true())
        .where(_P.id == _PROJECT, _P.deleted_at.is_(None))
    )


_OPEN, _LOOK = _open(), _look()
_TARGET, _HOLD = _target(is_held=False), _target(is_held=True)
_ADVANCE = (
    sa.update(_L)
    .where(_L.document_id == _DOCUMENT)
    .values(
        flushed_seq=sa.func.greatest(_L.flushed_seq, bindparam("seq", type_=sa.BigInteger)),
        epoch=sa.func.greatest(_L.epoch, _EPOCH),
    )
)
_CLOSE = (
    sa.delete(_L)
    .where(
        _L.project_id == _PROJECT,
        _L.document_id == sa.any_(bindparam("document_ids", type_=sa.ARRAY(sa.Uuid))),
        _L.epoch == _EPOCH,
    )
    .returning(_L.document_id)
)
_MARKED = sa.select(_L.document_id).where(_L.project_id == _PROJECT)
_IS_ANY_LIVE = visible(sa.select(marks.is_any_live()))


class Seen(msgspec.Struct, frozen=True):
    """A document's file; ``wanted`` is the hash of what is to be sent, which may be ``content``."""

    document_id: UUID
    path: str | None
    hash: str | None
    version: int
    flushed_seq: int
    actor_id: UUID | None
    is_text: bool
    wanted: str | None
    content: bytes | None


class Target(msgspec.Struct, frozen=True):
    """What a write-back is for: its mark, if it has one, and its file, if that is there."""

    epoch: int | None
    flushed_seq: int | None
    path: str | None
    hash: str | None
    version: int | None


async def mark(
    db: Queries, project_id: UUID, path: str, epoch: int, known: str | None, bytes_max: int
) -> Seen | None:
    """Mark a file as open live; ``None`` where there is none that may be typed into."""
    return await db.one_or_none(
        _OPEN,
        Seen,
        project_id=project_id,
        path=path,
        epoch=epoch,
        known=known,
        bytes_max=bytes_max,
    )


async def look(db: Queries, project_id: UUID, asked: Sequence[Asked], bytes_max: int) -> list[Seen]:
    """Return what the files of documents are now; one without a mark may have ``bytes_max``."""
    return await db.all(
        _LOOK,
        Seen,
        project_id=project_id,
        document_id=[one.file_id for one in asked],
        known=[one.known for one in asked],
        bytes_max=bytes_max,
    )


async def target(db: Queries, project_id: UUID, document_id: UUID) -> Target | None:
    """Return what a write-back would be for; ``None`` where the project is not there."""
    return await db.one_or_none(_TARGET, Target, project_id=project_id, document_id=document_id)


async def hold(tx: Queries, project_id: UUID, document_id: UUID) -> Target | None:
    """Return the same, and let nobody else change it until the transaction ends."""
    return await tx.one_or_none(_HOLD, Target, project_id=project_id, document_id=document_id)


async def advance(tx: Queries, document_id: UUID, epoch: int, seq: int) -> None:
    """Note how far what was typed is in the file."""
    await tx.run(_ADVANCE, document_id=document_id, epoch=epoch, seq=seq)


async def close(db: Queries, project_id: UUID, document_ids: Sequence[UUID], epoch: int) -> int:
    """Take marks of one epoch away; return how many there were."""
    gone = await db.all(
        _CLOSE, _same, project_id=project_id, document_ids=list(document_ids), epoch=epoch
    )
    return len(gone)


async def marked(db: Queries, project_id: UUID) -> frozenset[UUID]:
    """Return which of a project's documents are open live."""
    return frozenset(await db.all(_MARKED, _same, project_id=project_id))


def _same(document_id: UUID) -> UUID:
    return document_id


async def is_any_live(db: Queries, project_id: UUID, user_id: UUID) -> bool:
    """Whether any file of a project that the user may see is open live."""
    found = await db.one_or_none(_IS_ANY_LIVE, bool, project_id=project_id, user_id=user_id)
    return bool(found)
