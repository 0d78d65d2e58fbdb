"""The SQL of reading files: statements above, the functions that run them below."""

from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam

from common.database import Database, Queries
from common.sharing import Shared
from common.statements import document, encoded, instant, keys, word
from projects.files.types import Current, folded
from projects.history_tables import FileVersionRow
from projects.marks import mark_of
from projects.permissions import is_visible, membership
from projects.tables import BlobRow, FileRow, MemberRow, ProjectRow

_F = FileRow
_TEXT = sa.Text()


def _content(c: Any, blob: Any) -> "sa.ColumnElement[str]":  # noqa: ANN401 - columns
    plain = sa.func.convert_from(blob, word("UTF8"))
    base64 = sa.func.translate(
        sa.func.encode(blob, word("base64")), sa.literal_column("E'\\n'"), word("")
    )
    return sa.case((c.encoding == word("utf-8"), plain), else_=base64)


def _shown_as(c: Any, blob: Any) -> "sa.ColumnElement[bytes]":  # noqa: ANN401 - columns
    """A file as JSON; its content is NULL if the object store has it."""
    shown = document(
        path=c.path,
        size=c.size,
        hash=c.hash,
        version=c.version,
        encoding=c.encoding,
        content=_content(c, blob),
        updatedAt=instant(c.updated_at),
        updatedBy=c.updated_by,
    )
    return encoded(shown)


_K = keys(project_id=sa.Uuid(), user_id=sa.Uuid(), path=_TEXT, known=_TEXT)
_SHOW = Shared(
    sa.select(
        _K.c.i,
        _F.hash,
        # of one that is open live all but the content, whatever is known of what was in it
        sa.case(
            (
                _F.hash.is_distinct_from(_K.c.known) | mark_of(_F).is_not(None),
                _shown_as(_F, BlobRow.content),
            )
        ),
        BlobRow.content.is_(None),
        mark_of(_F),
    )
    .select_from(_K)
    .join(ProjectRow, ProjectRow.id == _K.c.project_id)
    .outerjoin(MemberRow, membership(_K.c.user_id))
    .join(_F, (_F.project_id == _K.c.project_id) & (_F.path == _K.c.path))
    .join(BlobRow, BlobRow.hash == _F.hash)
    .where(is_visible()),
    ["project_id", "user_id", "path", "known"],
    lanes=1,
)
_PROJECT = bindparam("project_id", type_=sa.Uuid)
_USER = bindparam("user_id", type_=sa.Uuid)
_BYTES = (
    sa.select(_F.hash, _F.encoding, BlobRow.content, mark_of(_F))
    .select_from(ProjectRow)
    .outerjoin(MemberRow, membership(_USER))
    .join(_F, _F.project_id == ProjectRow.id)
    .join(BlobRow, BlobRow.hash == _F.hash)
    .where(ProjectRow.id == _PROJECT, _F.path == bindparam("path", type_=sa.Text), is_visible())
)


_V = FileVersionRow
_SEQ = bindparam("seq", type_=sa.BigInteger)
_PATH = bindparam("path", type_=sa.Text)
_KNOWN = bindparam("known", type_=sa.Text)
# what was there last, if it had not gone
_THEN = (
    sa.select(
        _V.path,
        _V.size,
        _V.hash,
        _V.version,
        _V.encoding,
        _V.at.label("updated_at"),
        _V.actor_id.label("updated_by"),
        BlobRow.content,
    )
    .outerjoin(BlobRow, BlobRow.hash == _V.hash)
    .where(_V.project_id == _PROJECT, _V.path == _PATH, _V.seq <= _SEQ)
    .order_by(_V.seq.desc())
    .limit(1)
    .subquery("then")
)
_T = _THEN.c
_SHOW_PAST = sa.select(
    _T.hash,
    sa.case((_T.hash.is_distinct_from(_KNOWN), _shown_as(_T, _T.content))),
    _T.content.is_(None),
).where(_T.hash.is_not(None))
_READ_PAST = sa.select(_T.hash, _T.encoding, _T.content).where(_T.hash.is_not(None))


_COLUMNS = (_F.path, _F.folded, _F.document_id, _F.version, _F.hash, _F.size, _F.encoding)
_FOLDER = sa.func.unnest(bindparam("folders", type_=sa.ARRAY(sa.Text))).column_valued("folder")
# what is in a folder is a stretch of the index: "0" follows "/" in the order of bytes
_BEYOND = sa.func.left(_FOLDER, sa.literal_column("-1")).concat(word("0"))
_CURRENT = sa.union(
    sa.select(*_COLUMNS).where(
        _F.project_id == _PROJECT,
        _F.hash.is_not(None),
        _F.folded == sa.any_(bindparam("folded", type_=sa.ARRAY(sa.Text))),
    ),
    sa.select(*_COLUMNS).where(
        _F.project_id == _PROJECT,
        _F.hash.is_not(None),
        _F.folded >= _FOLDER,
        _F.folded < _BEYOND,
    ),
)


_DOCUMENTS = sa.select(_F.path, _F.document_id).where(
    _F.project_id == _PROJECT,
    _F.path == sa.any_(bindparam("paths", type_=sa.ARRAY(sa.Text))),
    _F.document_id == sa.any_(bindparam("some", type_=sa.ARRAY(sa.Uuid))),
)


class Shown(msgspec.Struct, frozen=True):
    """A file as JSON, unless its hash was known; without content where the object store has it.

    ``live`` is its document, if it is open live: then what is in it may be more than that.
    """

    hash: str
    body: bytes | None
    is_stored: bool
    live: UUID | None = None


async def show(
    db: Database, project_id: UUID, user_id: UUID, path: str, known: str | None
) -> Shown | None:
    """Return the file as JSON, unless its hash is ``known``."""
    row = await db.shared(_SHOW, project_id=project_id, user_id=user_id, path=path, known=known)
    return None if row is None else Shown(row[0] or "", row[1], row[2], row[3])


class Bytes(msgspec.Struct, frozen=True):
    """A file's bytes; without them the object store has them. ``live`` as of what is shown."""

    hash: str
    encoding: str
    data: bytes | None
    live: UUID | None = None


async def read(db: Database, project_id: UUID, user_id: UUID, path: str) -> Bytes | None:
    """Return the file's bytes, if the user may see them."""
    return await db.one_or_none(_BYTES, _bytes, project_id=project_id, user_id=user_id, path=path)


def _bytes(hash_: str | None, encoding: str, data: bytes | None, live: UUID | None = None) -> Bytes:
    return Bytes(hash_ or "", encoding, data, live)


async def show_past(
    db: Database, project_id: UUID, path: str, seq: int, known: str | None
) -> Shown | None:
    """Return what the file was as JSON, of a project that the caller may see."""
    return await db.one_or_none(
        _SHOW_PAST, _shown, project_id=project_id, path=path, seq=seq, known=known
    )


def _shown(hash_: str | None, body: bytes | None, is_stored: bool) -> Shown:  # noqa: FBT001 - a row's column
    return Shown(hash_ or "", body, is_stored)


async def read_past(db: Database, project_id: UUID, path: str, seq: int) -> Bytes | None:
    """Return the bytes that the file had, of a project that the caller may see."""
    return await db.one_or_none(_READ_PAST, _bytes, project_id=project_id, path=path, seq=seq)


async def documents(
    tx: Queries, project_id: UUID, paths: list[str], some: list[UUID]
) -> dict[str, UUID]:
    """Return which of some documents are at the paths, or were before their files went."""
    found = await tx.all(_DOCUMENTS, _pair, project_id=project_id, paths=paths, some=some)
    return dict(found)


def _pair(path: str, document_id: UUID) -> tuple[str, UUID]:
    return path, document_id


async def current(
    db: Queries, project_id: UUID, paths: list[str], folders: list[str]
) -> list[Current]:
    """Return what is at the paths and below the folders, whatever their case."""
    return await db.all(
        _CURRENT,
        _current,
        project_id=project_id,
        folded=[folded(path) for path in paths],
        folders=[folded(folder) for folder in folders],
    )


def _current(
    path: str,
    fold: str,
    document_id: UUID,
    version: int,
    hash_: str | None,
    size: int,
    encoding: str,
) -> Current:
    return Current(path, fold, document_id, version, hash_ or "", size, encoding)
