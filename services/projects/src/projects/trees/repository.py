"""The SQL of trees, as they are and as they were: statements above, their functions below."""

from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import aggregate_order_by, distinct_on

from common.database import Database
from common.statements import document, encoded, word
from projects.permissions import live, visible
from projects.shapes import tree_hash
from projects.tables import BlobRow, FileRow, FileVersionRow, ProjectRow

_F = FileRow
_PROJECT = bindparam("project_id", type_=sa.Uuid)
_USER = bindparam("user_id", type_=sa.Uuid)


def _tree() -> "sa.Select[str, bytes]":
    prefix = bindparam("prefix", type_=sa.Text)
    depth = bindparam("depth", type_=sa.Integer)
    rest = sa.func.substr(_F.path, sa.func.length(prefix) + 1)
    parts = sa.func.string_to_array(rest, word("/"), type_=sa.ARRAY(sa.Text))
    files = (
        sa.select(_F.path, _F.hash, _F.size, _F.version, parts.label("parts"))
        .where(live(prefix))
        .correlate(ProjectRow)
        .cte("files", nesting=True)
    )
    f = files.c
    is_deep = sa.func.cardinality(f.parts) > depth
    folder = prefix + sa.func.array_to_string(f.parts[1:depth], word("/"))
    entries = (
        sa.select(
            sa.case((is_deep, folder), else_=f.path).label("path"),
            sa.case((is_deep, None), else_=f.hash).label("hash"),
            sa.case((is_deep, None), else_=f.size).label("size"),
            sa.case((is_deep, None), else_=f.version).label("version"),
        )
        .distinct()
        .subquery("entries")
    )
    e = entries.c
    kind = sa.case((e.hash.is_(None), word("directory")), else_=word("file"))
    item = document(path=e.path, type=kind, size=e.size, hash=e.hash, version=e.version)
    ordered = aggregate_order_by(sa.func.json_strip_nulls(item), e.path)
    listing = sa.func.coalesce(sa.func.json_agg(ordered), sa.literal_column("'[]'::json"))
    inside = sa.lateral(
        sa.select(
            sa.select(tree_hash(files)).scalar_subquery().label("hash"),
            sa.select(encoded(listing)).select_from(entries).scalar_subquery().label("listing"),
        ).add_cte(files),
        "inside",
    )
    return visible(sa.select(inside.c.hash, inside.c.listing)).join(inside, sa.true())


_TREE = _tree()
_V = FileVersionRow


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


async def tree(
    db: Database, project_id: UUID, user_id: UUID, prefix: str, depth: int
) -> tuple[str, bytes] | None:
    """Return the hash and the entries (as JSON) of what is below ``prefix``."""
    return await db.one_or_none(
        _TREE, _tree_row, project_id=project_id, user_id=user_id, prefix=prefix, depth=depth
    )


def _tree_row(digest: str, entries: bytes) -> tuple[str, bytes]:
    return digest, entries


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
