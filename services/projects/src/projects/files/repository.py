"""The SQL of files: statements above, the functions that run them below.

Every change goes through one statement, ``_CHANGE``: it checks the caller, the precondition and the
clash, and writes content, file, version and event, or says why not. A row of it is one change;
``hash`` NULL means that the file goes.
"""

from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import aggregate_order_by, distinct_on, insert
from sqlalchemy.orm import aliased

from common import exchange
from common.answers import Window
from common.database import Database, Queries
from common.errors import ConflictError
from common.ids import uuid7
from common.outbox import insertion
from common.sharing import Shared
from common.statements import document, encoded, instant, keys, one_of, word
from projects.files.types import Change, Current, Result, folded
from projects.permissions import WRITERS, is_visible, membership
from projects.tables import BlobRow, FileRow, FileVersionRow, MemberRow, ProjectRow

_F = FileRow
_TEXT = sa.Text()
_CHANGE_KEYS: dict[str, Any] = {
    "project_id": sa.Uuid(),
    "user_id": sa.Uuid(),
    "path": _TEXT,
    "folded": _TEXT,
    "hash": _TEXT,
    "size": sa.BigInteger(),
    "encoding": _TEXT,
    "content": sa.LargeBinary(),
    "document_id": sa.Uuid(),
    "expected": _TEXT,
    "must_be": _TEXT,
    "moved_to": _TEXT,
    "is_quiet": sa.Boolean(),
    "origin": _TEXT,
    "event_id": sa.Uuid(),
    "request_id": _TEXT,
    "traceparent": _TEXT,
}


def _info(c: Any, *, unchanged: bool = False) -> "sa.ColumnElement[Any]":  # noqa: ANN401 - the columns of a file, wherever they stand
    more = {"unchanged": sa.true()} if unchanged else {}
    return document(
        path=c.path,
        size=c.size,
        hash=c.hash,
        version=c.version,
        encoding=c.encoding,
        updatedAt=instant(c.updated_at),
        updatedBy=c.updated_by,
        **more,
    )


def _change() -> "sa.Select[int, str, str | None, bytes | None]":
    k = keys(**_CHANGE_KEYS)
    asked = sa.select(k).cte("asked")
    decided = _decided(asked)
    blobs = (
        insert(BlobRow)
        .from_select(
            ["hash", "size", "content"],
            sa.select(decided.c.hash, decided.c.size, decided.c.content)
            .ext(distinct_on(decided.c.hash))
            .where(decided.c.verdict == word("write"), decided.c.content.is_not(None)),
        )
        .on_conflict_do_nothing()
        .cte("blobs")
    )
    written = _written(decided)
    versions = _versions(decided, written)
    events = insertion(_events(decided, written))
    return _answers(decided, written).add_cte(blobs, versions, events)


def _decided(asked: sa.CTE) -> sa.CTE:
    """Each change beside what is there now, and whether it may go through."""
    twin = aliased(_F)
    leaving = asked.alias("leaving")
    clash = sa.exists().where(
        twin.project_id == asked.c.project_id,
        twin.folded == asked.c.folded,
        twin.path != asked.c.path,
        twin.hash.is_not(None),
        asked.c.hash.is_not(None),
        ~sa.exists().where(
            leaving.c.project_id == twin.project_id,
            leaving.c.path == twin.path,
            leaving.c.hash.is_(None),
        ),
    )
    same = sa.and_(_F.hash == asked.c.hash, asked.c.must_be != word("absent"))
    verdict = sa.case(
        (ProjectRow.id.is_(None), word("missing")),
        (MemberRow.role.is_(None) & ~ProjectRow.is_public, word("missing")),
        (MemberRow.role.is_(None) | ~one_of(MemberRow.role, *WRITERS), word("forbidden")),
        (same, word("unchanged")),
        ((asked.c.must_be == word("absent")) & _F.hash.is_not(None), word("exists")),
        (
            sa.case(
                (asked.c.expected == word("*"), _F.hash.is_(None)),
                else_=asked.c.expected.is_not(None) & _F.hash.is_distinct_from(asked.c.expected),
            ),
            word("stale"),
        ),
        ((asked.c.must_be == word("present")) & _F.hash.is_(None), word("absent")),
        (clash, word("clash")),
        else_=word("write"),
    )
    return (
        sa.select(
            asked,
            verdict.label("verdict"),
            _F.hash.label("was_hash"),
            _F.version.label("was_version"),
            _F.updated_by.label("was_by"),
            _F.updated_at.label("was_at"),
            _F.encoding.label("was_encoding"),
            _F.size.label("was_size"),
            sa.func.coalesce(asked.c.document_id, _F.document_id, asked.c.event_id).label(
                "document"
            ),
        )
        .select_from(asked)
        .outerjoin(
            ProjectRow,
            (ProjectRow.id == asked.c.project_id) & ProjectRow.deleted_at.is_(None),
        )
        .outerjoin(
            MemberRow,
            (MemberRow.project_id == ProjectRow.id) & (MemberRow.user_id == asked.c.user_id),
        )
        .outerjoin(_F, (_F.project_id == asked.c.project_id) & (_F.path == asked.c.path))
        .cte("decided")
    )


def _written(decided: sa.CTE) -> sa.CTE:
    """Write what may go through, unless somebody else was quicker since it was decided."""
    d = decided.c
    rows = (
        sa.select(
            d.project_id,
            d.path,
            d.folded,
            d.document,
            sa.func.coalesce(d.was_version, 0) + 1,
            d.hash,
            d.was_hash,
            d.size,
            d.encoding,
            d.user_id,
        )
        .where(d.verdict == word("write"))
        # what goes makes room first, for a move that changes case alone
        .order_by(d.hash.is_not(None), d.project_id, d.path)
    )
    columns = ["project_id", "path", "folded", "document_id", "version", "hash"]
    columns += ["previous_hash", "size", "encoding", "updated_by"]
    new = insert(_F).from_select(columns, rows)
    kept = ("document_id", "hash", "previous_hash", "size", "encoding", "updated_by")
    return (
        new.on_conflict_do_update(
            index_elements=[_F.project_id, _F.path],
            set_={
                **{name: new.excluded[name] for name in kept},
                "version": _F.version + 1,
                "updated_at": sa.func.now(),
            },
            where=_F.hash.is_not_distinct_from(new.excluded.previous_hash),
        )
        .returning(_F.__table__)
        .cte("written")
    )


def _joined(decided: sa.CTE, written: sa.CTE) -> "sa.ColumnElement[bool]":
    return sa.and_(decided.c.project_id == written.c.project_id, decided.c.path == written.c.path)


def _versions(decided: sa.CTE, written: sa.CTE) -> sa.CTE:
    w, d = written.c, decided.c
    rows = sa.select(
        w.project_id,
        w.path,
        w.version,
        w.document_id,
        w.hash,
        w.size,
        w.encoding,
        d.moved_to,
        w.updated_by,
        d.origin,
    ).join(decided, _joined(decided, written))
    columns = ["project_id", "path", "version", "document_id", "hash", "size", "encoding"]
    columns += ["moved_to", "actor_id", "origin"]
    return sa.insert(FileVersionRow).from_select(columns, rows).cte("versions")


def _events(decided: sa.CTE, written: sa.CTE) -> "sa.Select[Any]":
    w, d = written.c, decided.c
    is_moved = d.moved_to.is_not(None)
    subject = sa.case(
        (is_moved, word("projects.file.moved.v1")),
        (w.hash.is_(None), word("projects.file.deleted.v1")),
        (d.was_hash.is_(None), word("projects.file.created.v1")),
        else_=word("projects.file.updated.v1"),
    )
    facts = {
        "projectId": w.project_id,
        "path": w.path,
        "actorId": w.updated_by,
        "origin": d.origin,
        "version": w.version,
        "to": d.moved_to,
        "hash": sa.case((is_moved, d.was_hash), else_=w.hash),
        "size": sa.case((is_moved, d.was_size), (w.hash.is_not(None), w.size)),
    }
    pairs = [x for name, value in facts.items() for x in (word(name), value)]
    data = sa.func.jsonb_strip_nulls(sa.func.jsonb_build_object(*pairs))
    key = sa.cast(w.project_id, sa.Text)
    return (
        sa.select(d.event_id, subject, key, data, d.request_id, d.traceparent)
        .select_from(written)
        .join(decided, _joined(decided, written))
        .where(~d.is_quiet)
        .order_by(d.i)
    )


def _answers(decided: sa.CTE, written: sa.CTE) -> "sa.Select[int, str, str | None, bytes | None]":
    d, w = decided.c, written.c
    before = document(
        path=d.path,
        size=d.was_size,
        hash=d.was_hash,
        version=d.was_version,
        encoding=d.was_encoding,
        updatedAt=instant(d.was_at),
        updatedBy=d.was_by,
        unchanged=d.verdict == word("unchanged"),
    )
    verdict = sa.case(
        ((d.verdict == word("write")) & w.path.is_(None), word("retry")),
        ((d.verdict == word("write")) & d.was_hash.is_(None), word("created")),
        else_=d.verdict,
    )
    body = sa.case(
        (w.path.is_not(None), encoded(_info(w))),
        (
            d.was_hash.is_not(None) & one_of(d.verdict, "unchanged", "stale", "exists"),
            encoded(before),
        ),
    )
    etag = sa.func.coalesce(w.hash, d.was_hash)
    return (
        sa.select(d.i, verdict, etag, body)
        .select_from(decided)
        .outerjoin(written, _joined(decided, written))
    )


_CHANGE = _change()
# another instance took the path in another case, or the same files in another order
_OVERTAKEN = (asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError)
_SHARED_CHANGE = Shared(
    _CHANGE, list(_CHANGE_KEYS), exclusive=["project_id", "folded"], batch_max=32
)


def _content(c: Any, blob: Any) -> "sa.ColumnElement[str]":  # noqa: ANN401 - columns
    plain = sa.func.convert_from(blob, word("UTF8"))
    base64 = sa.func.translate(
        sa.func.encode(blob, word("base64")), sa.literal_column("E'\\n'"), word("")
    )
    return sa.case((c.encoding == word("utf-8"), plain), else_=base64)


_K = keys(project_id=sa.Uuid(), user_id=sa.Uuid(), path=_TEXT, known=_TEXT)
_SHOW = Shared(
    sa.select(
        _K.c.i,
        _F.hash,
        sa.case(
            (
                _F.hash.is_distinct_from(_K.c.known),
                encoded(
                    document(
                        path=_F.path,
                        size=_F.size,
                        hash=_F.hash,
                        version=_F.version,
                        encoding=_F.encoding,
                        content=_content(_F, BlobRow.content),
                        updatedAt=instant(_F.updated_at),
                        updatedBy=_F.updated_by,
                    )
                ),
            )
        ),
    )
    .select_from(_K)
    .join(ProjectRow, ProjectRow.id == _K.c.project_id)
    .outerjoin(MemberRow, membership(_K.c.user_id))
    .join(_F, (_F.project_id == _K.c.project_id) & (_F.path == _K.c.path))
    .join(BlobRow, BlobRow.hash == _F.hash)
    .where(is_visible()),
    ["project_id", "user_id", "path", "known"],
)
_PROJECT = bindparam("project_id", type_=sa.Uuid)
_USER = bindparam("user_id", type_=sa.Uuid)
_BYTES = (
    sa.select(_F.hash, _F.encoding, BlobRow.content)
    .select_from(ProjectRow)
    .outerjoin(MemberRow, membership(_USER))
    .join(_F, _F.project_id == ProjectRow.id)
    .join(BlobRow, BlobRow.hash == _F.hash)
    .where(ProjectRow.id == _PROJECT, _F.path == bindparam("path", type_=sa.Text), is_visible())
)


def _live(prefix: "sa.ColumnElement[str]") -> "sa.ColumnElement[bool]":
    return sa.and_(
        _F.project_id == ProjectRow.id, _F.hash.is_not(None), sa.func.starts_with(_F.path, prefix)
    )


def _visible[*Ts](statement: "sa.Select[*Ts]") -> "sa.Select[*Ts]":
    """The statement's one row, for who may see the project."""
    return (
        statement.select_from(ProjectRow)
        .outerjoin(MemberRow, membership(_USER))
        .where(ProjectRow.id == _PROJECT, is_visible())
    )


def _tree() -> "sa.Select[str, bytes]":
    prefix = bindparam("prefix", type_=sa.Text)
    depth = bindparam("depth", type_=sa.Integer)
    rest = sa.func.substr(_F.path, sa.func.length(prefix) + 1)
    parts = sa.func.string_to_array(rest, word("/"), type_=sa.ARRAY(sa.Text))
    files = (
        sa.select(_F.path, _F.hash, _F.size, _F.version, parts.label("parts"))
        .where(_live(prefix))
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
    return _visible(sa.select(inside.c.hash, inside.c.listing)).join(inside, sa.true())


def tree_hash(files: Any) -> "sa.ColumnElement[str]":  # noqa: ANN401 - a selectable with path and hash
    """SHA-256 (hex) over ``path NUL hash LF`` for each file, in the order of the paths' bytes."""
    path = sa.func.convert_to(files.c.path, word("UTF8"), type_=sa.LargeBinary)
    end = sa.literal_column("E'\\n'", sa.Text)
    content = sa.func.convert_to(files.c.hash + end, word("UTF8"), type_=sa.LargeBinary)
    nul = sa.literal_column("'\\x00'::bytea", sa.LargeBinary)
    line = path.op("||")(nul).op("||")(content)
    nothing = sa.literal_column("''::bytea", sa.LargeBinary)
    lines = sa.func.string_agg(line, aggregate_order_by(nothing, files.c.path))
    whole = sa.func.coalesce(lines, nothing)
    return sa.func.encode(sa.func.sha256(whole), word("hex"), type_=sa.Text)


_TREE = _tree()


def _list(*, reverse: bool) -> "sa.Select[int, bytes]":
    prefix = bindparam("prefix", type_=sa.Text)
    page = (
        sa.select(_info(_F).label("item"), _F.path)
        .where(_live(prefix))
        .correlate(ProjectRow)
        .order_by(_F.path.desc() if reverse else _F.path)
        .limit(bindparam("limit", type_=sa.BigInteger))
        .offset(bindparam("offset", type_=sa.BigInteger))
        .subquery("page")
    )
    order = page.c.path.desc() if reverse else page.c.path
    items = sa.func.json_agg(aggregate_order_by(page.c.item, order))
    listing = sa.func.coalesce(items, sa.literal_column("'[]'::json"))
    total = sa.select(sa.func.count()).select_from(_F).where(_live(prefix)).correlate(ProjectRow)
    inside = sa.lateral(sa.select(encoded(listing).label("listing")).select_from(page), "inside")
    return _visible(sa.select(total.scalar_subquery(), inside.c.listing)).join(inside, sa.true())


_LISTS = {"path": _list(reverse=False), "-path": _list(reverse=True)}
_LIVE_COUNT = sa.select(sa.func.count()).where(_F.project_id == _PROJECT, _F.hash.is_not(None))
_FOLDER = sa.func.unnest(bindparam("folders", type_=sa.ARRAY(sa.Text))).column_valued("folder")
_CURRENT = (
    sa.select(_F.path, _F.folded, _F.document_id, _F.version, _F.hash, _F.size, _F.encoding)
    .where(_F.project_id == _PROJECT, _F.hash.is_not(None))
    .where(
        sa.or_(
            _F.folded == sa.any_(bindparam("folded", type_=sa.ARRAY(sa.Text))),
            sa.exists(sa.select(_FOLDER).where(sa.func.starts_with(_F.folded, _FOLDER))),
        )
    )
)


def _params(project_id: UUID, user_id: UUID, change: Change, origin: str) -> dict[str, Any]:
    now = exchange.current()
    if now is not None:
        now.announced = True
    return {
        "project_id": project_id,
        "user_id": user_id,
        "folded": folded(change.path),
        "origin": origin,
        "event_id": uuid7(),
        "request_id": now.request_id if now else "",
        "traceparent": now.traceparent if now else "",
        **msgspec.structs.asdict(change),
    }


async def change(
    db: Database, project_id: UUID, user_id: UUID, wanted: Change, origin: str
) -> Result:
    """Make one change, sharing its round trip and its commit with others."""
    params = _params(project_id, user_id, wanted, origin)
    try:
        row = await db.shared(_SHARED_CHANGE, **params)
    except _OVERTAKEN:
        return Result("retry", None, None)
    return Result("missing", None, None) if row is None else Result(*row)


async def change_all(
    tx: Queries, project_id: UUID, user_id: UUID, wanted: list[Change], origin: str
) -> list[Result]:
    """Make many changes of different paths in one statement of a transaction.

    Raises ``ConflictError`` where another instance was quicker.
    """
    rows = [_params(project_id, user_id, one, origin) for one in wanted]
    columns = {name: [row[name] for row in rows] for name in _CHANGE_KEYS}
    try:
        found = await tx.all(_CHANGE, _numbered, **columns)
    except _OVERTAKEN as exc:
        raise ConflictError("Somebody else writes these files at once; try again.") from exc
    return [result for _, result in sorted(found, key=lambda pair: pair[0])]


def _numbered(i: int, verdict: str, etag: str | None, body: bytes | None) -> tuple[int, Result]:
    return i, Result(verdict, etag, body)


async def show(
    db: Database, project_id: UUID, user_id: UUID, path: str, known: str | None
) -> tuple[str, bytes | None] | None:
    """Return the file's hash, and it as JSON unless its hash is ``known``."""
    row = await db.shared(_SHOW, project_id=project_id, user_id=user_id, path=path, known=known)
    return None if row is None else (str(row[0]), row[1])


class Bytes(msgspec.Struct, frozen=True):
    """A file's bytes."""

    hash: str
    encoding: str
    data: bytes


async def read(db: Database, project_id: UUID, user_id: UUID, path: str) -> Bytes | None:
    """Return the file's bytes, if the user may see them."""
    return await db.one_or_none(_BYTES, _bytes, project_id=project_id, user_id=user_id, path=path)


def _bytes(hash_: str | None, encoding: str, data: bytes) -> Bytes:
    return Bytes(hash_ or "", encoding, data)


async def tree(
    db: Database, project_id: UUID, user_id: UUID, prefix: str, depth: int
) -> tuple[str, bytes] | None:
    """Return the hash and the entries (as JSON) of what is below ``prefix``."""
    return await db.one_or_none(
        _TREE, _tree_row, project_id=project_id, user_id=user_id, prefix=prefix, depth=depth
    )


def _tree_row(digest: str, entries: bytes) -> tuple[str, bytes]:
    return digest, entries


async def listed(
    db: Database, project_id: UUID, user_id: UUID, prefix: str, wanted: Window
) -> tuple[int, bytes] | None:
    """Return how many files there are below ``prefix``, and a page of them as JSON."""
    return await db.one_or_none(
        _LISTS[wanted.sort],
        _list_row,
        project_id=project_id,
        user_id=user_id,
        prefix=prefix,
        limit=wanted.limit,
        offset=wanted.offset,
    )


def _list_row(total: int, items: bytes) -> tuple[int, bytes]:
    return total, items


async def live_count(db: Queries, project_id: UUID) -> int:
    """Return how many files the project has."""
    return await db.one(_LIVE_COUNT, int, project_id=project_id)


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
