"""The SQL of trees, as they are and as they were: statements above, their functions below."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import aggregate_order_by

from common.database import Database
from common.statements import document, encoded, word
from projects.files.types import PATH_BYTES_MAX
from projects.marks import is_any_live
from projects.past import files_at, head_seq, seq_at, whole_seq
from projects.permissions import live, visible
from projects.shapes import tree_hash
from projects.tables import BlobRow, FileRow, HeadRow, ProjectRow

_F = FileRow
_PROJECT = bindparam("project_id", type_=sa.Uuid)
_SEQ = bindparam("seq", type_=sa.BigInteger)
_TIME = bindparam("time", type_=sa.DateTime(timezone=True))
_PREFIX = bindparam("prefix", type_=sa.Text)
_DEPTH = bindparam("depth", type_=sa.Integer)


def _inside(files: sa.CTE) -> sa.FromClause:
    """The hash of the files, and what is below ``prefix`` to a ``depth``: files and folders.

    A tree may have very many files: they come in order, which spares sorting them twice.
    """
    f = files.c
    rest = sa.func.substr(f.path, sa.func.length(_PREFIX) + 1)
    # no segment is empty, but for one before a first slash; no path has as many as it has bytes
    has_more = sa.func.split_part(rest, word("/"), _DEPTH + 1) != sa.literal_column("''", sa.Text)
    is_deep = sa.and_(sa.literal_column(str(PATH_BYTES_MAX)) > _DEPTH, has_more)
    segments = sa.func.string_to_array(rest, word("/"), type_=sa.ARRAY(sa.Text))
    folder = _PREFIX + sa.func.array_to_string(segments[1:_DEPTH], word("/"))
    folders = sa.select(folder.label("path")).where(is_deep).distinct().subquery("folders")
    entries = sa.union_all(
        sa.select(f.path, _file(f).label("item")).where(~is_deep),
        sa.select(folders.c.path, _folder(folders.c).label("item")),
    ).subquery("entries")
    comma, nothing = sa.literal_column("','", sa.Text), sa.literal_column("''", sa.Text)
    ordered = aggregate_order_by(comma, entries.c.path)
    items = sa.func.coalesce(sa.func.string_agg(entries.c.item, ordered), nothing)
    listing = _text("[", items, "]")
    return sa.lateral(
        sa.select(
            sa.select(tree_hash(files)).scalar_subquery().label("hash"),
            sa.select(encoded(listing)).select_from(entries).scalar_subquery().label("listing"),
        ).add_cte(files),
        "inside",
    )


def _file(f: Any) -> "sa.ColumnElement[str]":  # noqa: ANN401 - the columns of a file
    """A file as JSON, put together as text: PostgreSQL's own objects take twice as long."""
    path, begin = sa.func.to_json(f.path), ',"type":"file","size":'
    return _text(
        '{"path":', path, begin, f.size, ',"hash":"', f.hash, '","version":', f.version, "}"
    )


def _folder(f: Any) -> "sa.ColumnElement[str]":  # noqa: ANN401 - the columns of a folder
    return _text('{"path":', sa.func.to_json(f.path), ',"type":"directory"}')


def _text(*parts: "str | sa.ColumnElement[Any]") -> "sa.ColumnElement[str]":
    """Words of our own and values, one after the other."""
    given = [sa.literal_column(f"'{p}'", sa.Text) if isinstance(p, str) else p for p in parts]
    return sa.func.concat(*given, type_=sa.Text)


def _now() -> "sa.Select[int, int, bool, str, bytes]":
    """The tree as it is, where it has at most ``files_max`` files; else only how many it has."""
    count = sa.func.coalesce(HeadRow.files, 0)
    files = (
        sa.select(_F.path, _F.hash, _F.size, _F.version)
        .where(live(_PREFIX), count <= bindparam("files_max", type_=sa.BigInteger))
        .order_by(_F.path)
        .correlate(ProjectRow, HeadRow)
        .cte("files", nesting=True)
    )
    inside = _inside(files)
    seq = sa.func.coalesce(HeadRow.seq, 0)
    return (
        visible(sa.select(seq, count, is_any_live(), inside.c.hash, inside.c.listing))
        .outerjoin(HeadRow, HeadRow.project_id == ProjectRow.id)
        .join(inside, sa.true())
    )


def _past() -> "sa.Select[str, bytes]":
    then = files_at(_PROJECT, _SEQ).subquery("then")
    files = (
        sa.select(then.c.path, then.c.hash, then.c.size, then.c.version)
        .where(sa.func.starts_with(then.c.path, _PREFIX))
        .order_by(then.c.path)
        .cte("files", nesting=True)
    )
    inside = _inside(files)
    return sa.select(inside.c.hash, inside.c.listing)


def _pinned(files: Any) -> "sa.Select[str, bytes]":  # noqa: ANN401 - a selectable
    f = files.c
    item = document(path=f.path, hash=f.hash, size=f.size, encoding=f.encoding)
    ordered = aggregate_order_by(item, f.path)
    listing = sa.func.coalesce(sa.func.json_agg(ordered), sa.literal_column("'[]'::json"))
    return sa.select(
        sa.select(tree_hash(files)).scalar_subquery(),
        sa.select(encoded(listing)).select_from(files).scalar_subquery(),
    )


def _pin_now() -> "sa.Select[int, str, bytes, bool]":
    """One statement sees one moment: the head says which, and the files are those of it."""
    files = (
        sa.select(_F.path, _F.hash, _F.size, _F.encoding)
        .where(_F.project_id == _PROJECT, _F.hash.is_not(None))
        .cte("files")
    )
    digest, listing = _pinned(files).selected_columns
    columns = (head_seq(ProjectRow.id), digest, listing, is_any_live())
    return sa.select(*columns).where(ProjectRow.id == _PROJECT)


def _pin_past() -> "sa.Select[int, str, bytes]":
    digest, listing = _pinned(files_at(_PROJECT, _SEQ).cte("files")).selected_columns
    return sa.select(_SEQ, digest, listing).where(
        ProjectRow.id == _PROJECT, head_seq(ProjectRow.id) >= _SEQ
    )


_NOW = _now()
_PAST = _past()
_PIN_NOW = _pin_now()
_PIN_PAST = _pin_past()
_MOMENT = visible(
    sa.select(
        head_seq(ProjectRow.id),
        sa.case((_TIME.is_not(None), seq_at(_PROJECT, _TIME)), else_=whole_seq(_PROJECT, _SEQ)),
    )
)
_WHOLE = sa.select(whole_seq(_PROJECT, _SEQ))
_CURRENT = (
    sa.select(_F.hash, BlobRow.content)
    .join(BlobRow, BlobRow.hash == _F.hash)
    .where(_F.project_id == _PROJECT, _F.path == bindparam("path", type_=sa.Text))
)


class Tree(msgspec.Struct, frozen=True):
    """A tree as of ``seq``: how many files the project has, its hash, and its entries as JSON.

    Where any file is open live what was typed may not be in it yet.
    """

    seq: int
    files: int
    is_any_live: bool
    hash: str
    entries: bytes


class Past(msgspec.Struct, frozen=True):
    """A tree that was: its hash, and its entries as JSON."""

    hash: str
    entries: bytes


class Moment(msgspec.Struct, frozen=True):
    """How far a project's history has got, and had got at the moment in question."""

    head: int
    seq: int


async def now(
    db: Database, project_id: UUID, user_id: UUID, prefix: str, depth: int, files_max: int
) -> Tree | None:
    """Return what is below ``prefix``; of a project with more files only how many there are."""
    return await db.one_or_none(
        _NOW,
        Tree,
        project_id=project_id,
        user_id=user_id,
        prefix=prefix,
        depth=depth,
        files_max=files_max,
    )


async def past(db: Database, project_id: UUID, seq: int, prefix: str, depth: int) -> Past:
    """Return what was below ``prefix``, of a project that the caller may see."""
    return await db.one(_PAST, Past, project_id=project_id, seq=seq, prefix=prefix, depth=depth)


async def moment(
    db: Database, project_id: UUID, user_id: UUID, at: int | datetime
) -> Moment | None:
    """Return which moment is meant, if the user may see the project."""
    is_seq = isinstance(at, int)
    return await db.one_or_none(
        _MOMENT,
        Moment,
        project_id=project_id,
        user_id=user_id,
        seq=at if is_seq else None,
        time=None if is_seq else at,
    )


class PinRow(msgspec.Struct, frozen=True):
    """A tree: as of when, its hash, its files as JSON, and whether more was typed perhaps."""

    seq: int
    tree_hash: str
    files: bytes
    is_any_live: bool = False


class CurrentRow(msgspec.Struct, frozen=True):
    """What is at a path; without ``content`` the object store has it."""

    hash: str | None
    content: bytes | None


async def pin(db: Database, project_id: UUID, seq: int | None) -> PinRow | None:
    """Return the tree as of ``seq``, or as of now; none of a moment that has not been."""
    if seq is None:
        return await db.one_or_none(_PIN_NOW, PinRow, project_id=project_id)
    whole = await db.one(_WHOLE, int, project_id=project_id, seq=seq)
    return await db.one_or_none(_PIN_PAST, PinRow, project_id=project_id, seq=whole)


async def current(db: Database, project_id: UUID, path: str) -> CurrentRow | None:
    """Return the bytes at a path now."""
    return await db.one_or_none(_CURRENT, CurrentRow, project_id=project_id, path=path)
