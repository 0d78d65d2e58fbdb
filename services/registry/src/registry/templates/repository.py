"""The SQL of templates: statements above, the functions that run them below."""

from functools import cache
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import JSONB, insert

from common.answers import Window
from common.database import Queries
from common.ids import uuid7
from common.statements import document, encoded, instant, unnested, word
from registry.tables import BlobRow, TemplateRow, TreeFileRow
from registry.templates.types import Bundle

_T = TemplateRow
_F = TreeFileRow
SORTS = {
    "name": sa.func.lower(_T.name),
    "createdAt": _T.created_at,
    "updatedAt": _T.updated_at,
}
_BASE = bindparam("base", type_=sa.Text)


def _document() -> "sa.ColumnElement[Any]":
    thumbnail = sa.case((_T.thumbnail.is_not(None), _BASE + _T.slug + word("/thumbnail")))
    return document(
        id=_T.id,
        slug=_T.slug,
        name=_T.name,
        description=_T.description,
        version=_T.version,
        licence=_T.licence,
        engine=_T.engine,
        language=_T.language,
        tags=_T.tags,
        thumbnailUrl=thumbnail,
        variables=_T.variables,
        createdAt=instant(_T.created_at),
        updatedAt=instant(_T.updated_at),
    )


_NAMED = sa.or_(
    _T.id == bindparam("template_id", type_=sa.Uuid), _T.slug == bindparam("slug", type_=sa.Text)
)
_SHOW = sa.select(encoded(_document()), _T.digest).where(_NAMED)


@cache
def _list(sort: str) -> "sa.Select[int, bytes]":
    order = SORTS[sort.removeprefix("-")]
    direction = order.desc() if sort.startswith("-") else order.asc()
    q = sa.func.lower(bindparam("q", type_=sa.Text))
    tag = bindparam("tag", type_=sa.Text)
    words = sa.func.array_to_string(_T.tags, sa.literal_column("' '"))
    said = sa.func.concat_ws(
        sa.literal_column("E'\\n'"), _T.name, _T.slug, _T.description, words, type_=sa.Text
    )
    rows = sa.select(
        _document().label("item"),
        sa.func.row_number().over(order_by=(direction, _T.id)).label("n"),
    ).where(
        sa.func.strpos(sa.func.lower(said), q) > 0,
        sa.or_(tag == word(""), tag == sa.any_(_T.tags)),
    )
    page = (
        rows.order_by(direction, _T.id)
        .limit(bindparam("limit", type_=sa.BigInteger))
        .offset(bindparam("offset", type_=sa.BigInteger))
        .subquery()
    )
    total = sa.select(sa.func.count()).select_from(rows.subquery()).scalar_subquery()
    items = sa.func.coalesce(
        sa.select(sa.func.json_agg(sa.text("item ORDER BY n"))).select_from(page).scalar_subquery(),
        sa.literal_column("'[]'::json"),
    )
    return sa.select(total, encoded(items))


_THUMBNAIL = (
    sa.select(_F.path, BlobRow.hash, BlobRow.content)
    .select_from(_T)
    .join(_F, sa.and_(_F.tree_hash == _T.tree_hash, _F.path == _T.thumbnail))
    .join(BlobRow, BlobRow.hash == _F.hash)
    .where(_NAMED)
)
_SOURCE = sa.select(_T.slug, _T.name, _T.variables, _T.tree_hash, _T.digest).where(_NAMED)
_FILES = (
    sa.select(_F.path, _F.encoding, BlobRow.content)
    .join(BlobRow, BlobRow.hash == _F.hash)
    .where(_F.tree_hash == bindparam("tree_hash", type_=sa.Text))
    .order_by(_F.path)
)

_TEXT = sa.Text()
_GIVEN_BLOBS = unnested("b", {"hash": _TEXT, "size": sa.BigInteger(), "content": sa.LargeBinary()})
_KEEP_BLOBS = (
    insert(BlobRow)
    .from_select(["hash", "size", "content"], sa.select(_GIVEN_BLOBS))
    .on_conflict_do_nothing()
)
_GIVEN_FILES = unnested("f", {"path": _TEXT, "encoding": _TEXT, "hash": _TEXT})
_KEEP_FILES = (
    insert(_F)
    .from_select(
        ["tree_hash", "path", "encoding", "hash"],
        sa.select(bindparam("tree_hash", type_=sa.Text), _GIVEN_FILES),
    )
    .on_conflict_do_nothing()
)
_SAID: dict[str, Any] = {
    "name": _TEXT,
    "description": _TEXT,
    "version": _TEXT,
    "licence": _TEXT,
    "engine": _TEXT,
    "language": _TEXT,
    "tags": sa.ARRAY(sa.Text),
    "thumbnail": _TEXT,
    "variables": JSONB(),
    "tree_hash": _TEXT,
    "digest": _TEXT,
}
_NEW = insert(_T).values(
    id=bindparam("id", type_=sa.Uuid),
    slug=bindparam("slug", type_=sa.Text),
    **{name: bindparam(name, type_=kind) for name, kind in _SAID.items()},
)
_PUT = _NEW.on_conflict_do_update(
    index_elements=[_T.slug],
    set_={name: _NEW.excluded[name] for name in _SAID} | {"updated_at": sa.func.now()},
    where=_T.digest != _NEW.excluded.digest,
).returning(_T.id)
_IS_KNOWN = sa.select(_T.id).where(
    _T.slug == bindparam("slug", type_=sa.Text), _T.digest == bindparam("digest", type_=sa.Text)
)


class Shown(msgspec.Struct, frozen=True):
    """A template as JSON, and the hash of all that is in it."""

    body: bytes
    digest: str


class Thumbnail(msgspec.Struct, frozen=True):
    """The picture of a template."""

    path: str
    hash: str
    content: bytes


class StoredSource(msgspec.Struct, frozen=True):
    """A template without its files, which are the tree that it names."""

    slug: str
    name: str
    variables: list[dict[str, Any]]
    tree_hash: str
    digest: str


class StoredFile(msgspec.Struct, frozen=True):
    """A file of a tree."""

    path: str
    encoding: str
    content: bytes


async def show(db: Queries, template_id: UUID | None, slug: str, base: str) -> Shown | None:
    """Return a template by either of its names."""
    return await db.one_or_none(_SHOW, Shown, template_id=template_id, slug=slug, base=base)


async def listed(db: Queries, q: str, tag: str, base: str, wanted: Window) -> tuple[int, bytes]:
    """Return how many templates there are, and one page of them as JSON."""
    return await db.one(
        _list(wanted.sort),
        _pair,
        q=q,
        tag=tag,
        base=base,
        limit=wanted.limit,
        offset=wanted.offset,
    )


def _pair(total: int, items: bytes) -> tuple[int, bytes]:
    return total, items


async def thumbnail(db: Queries, template_id: UUID | None, slug: str) -> Thumbnail | None:
    """Return a template's picture, if it has one."""
    return await db.one_or_none(_THUMBNAIL, Thumbnail, template_id=template_id, slug=slug)


async def source(db: Queries, template_id: UUID | None, slug: str) -> StoredSource | None:
    """Return what a project starts from, but for the files."""
    return await db.one_or_none(_SOURCE, StoredSource, template_id=template_id, slug=slug)


async def files(db: Queries, tree_hash: str) -> list[StoredFile]:
    """Return the files of a tree, which never changes."""
    return await db.all(_FILES, StoredFile, tree_hash=tree_hash)


async def is_known(db: Queries, bundle: Bundle) -> bool:
    """Whether the template is published just so."""
    slug = bundle.manifest.id
    return await db.one_or_none(_IS_KNOWN, _same, slug=slug, digest=bundle.digest) is not None


async def put(tx: Queries, bundle: Bundle) -> UUID | None:
    """Store a template; return its id, or ``None`` where it is stored just so already."""
    manifest, kept = bundle.manifest, bundle.files
    await tx.run(
        _KEEP_BLOBS,
        hash=[file.hash for file in kept],
        size=[len(file.data) for file in kept],
        content=[file.data for file in kept],
    )
    await tx.run(
        _KEEP_FILES,
        tree_hash=bundle.tree_hash,
        path=[file.path for file in kept],
        encoding=[file.encoding for file in kept],
        hash=[file.hash for file in kept],
    )
    said = msgspec.structs.asdict(manifest)
    return await tx.one_or_none(
        _PUT,
        _same,
        id=uuid7(),
        slug=manifest.id,
        tree_hash=bundle.tree_hash,
        digest=bundle.digest,
        **{name: said[name] for name in _SAID if name in said},
    )


def _same(template_id: UUID) -> UUID:
    return template_id
