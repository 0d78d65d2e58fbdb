"""The SQL of snapshots: statements above, the functions that run them below."""

from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import distinct_on

from common.database import Database
from common.statements import document, encoded
from projects.files.repository import tree_hash
from projects.tables import BlobRow, FileVersionRow, ProjectRow

_V = FileVersionRow
_PROJECT = bindparam("project_id", type_=sa.Uuid)


def _pin() -> "sa.Select[int, str, bytes]":
    """The newest version of each path up to ``seq``; NULL means up to now."""
    seq = bindparam("seq", type_=sa.BigInteger)
    newest = (
        sa.select(_V.path, _V.hash, _V.size, _V.encoding)
        .ext(distinct_on(_V.path))
        .where(_V.project_id == _PROJECT, (_V.seq <= seq) | seq.is_(None))
        .order_by(_V.path, _V.version.desc())
        .subquery("newest")
    )
    files = sa.select(newest).where(newest.c.hash.is_not(None)).cte("files")
    f = files.c
    item = document(path=f.path, hash=f.hash, size=f.size, encoding=f.encoding)
    listing = sa.func.coalesce(sa.func.json_agg(item), sa.literal_column("'[]'::json"))
    last = sa.select(sa.func.max(_V.seq)).where(_V.project_id == _PROJECT).scalar_subquery()
    return sa.select(
        sa.func.coalesce(seq, last, 0),
        sa.select(tree_hash(files)).select_from(files).scalar_subquery(),
        sa.select(encoded(listing)).select_from(files).scalar_subquery(),
    ).where(ProjectRow.id == _PROJECT)


_PIN = _pin()
_BLOBS = (
    sa.select(BlobRow.hash, BlobRow.content)
    .where(BlobRow.hash == sa.any_(bindparam("hashes", type_=sa.ARRAY(sa.Text))))
    .where(sa.exists().where(_V.project_id == _PROJECT, _V.hash == BlobRow.hash))
)
_CURRENT = (
    sa.select(_V.hash, BlobRow.content)
    .outerjoin(BlobRow, BlobRow.hash == _V.hash)
    .where(_V.project_id == _PROJECT, _V.path == bindparam("path", type_=sa.Text))
    .order_by(_V.version.desc())
    .limit(1)
)


class PinRow(msgspec.Struct, frozen=True):
    """A tree: as of when, its hash, and its files as JSON."""

    seq: int
    tree_hash: str
    files: bytes


class Blob(msgspec.Struct, frozen=True):
    """Content by its hash."""

    hash: str
    content: bytes


class CurrentRow(msgspec.Struct, frozen=True):
    """What is at a path; without ``hash`` the file is gone."""

    hash: str | None
    content: bytes | None


async def pin(db: Database, project_id: UUID, seq: int | None) -> PinRow | None:
    """Return the tree as of ``seq``, or as of now."""
    return await db.one_or_none(_PIN, PinRow, project_id=project_id, seq=seq)


async def blobs(db: Database, project_id: UUID, hashes: list[str]) -> list[Blob]:
    """Return those of the contents that the project has or had."""
    return await db.all(_BLOBS, Blob, project_id=project_id, hashes=hashes)


async def current(db: Database, project_id: UUID, path: str) -> CurrentRow | None:
    """Return the bytes at a path now."""
    return await db.one_or_none(_CURRENT, CurrentRow, project_id=project_id, path=path)
