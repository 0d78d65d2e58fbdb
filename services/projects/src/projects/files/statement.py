"""The one statement that every change of files goes through.

It checks the caller, the precondition, the clash and the quota, and writes content, file, version,
the project's head and the event, or says why not. A row of it is one change; ``hash`` NULL means
that the file goes.
"""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on, insert

from common.outbox import insertion
from common.statements import document, encoded, instant, keys, one_of, word
from projects.files.heads import counted, is_due, numbered
from projects.files.verdicts import decided_of
from projects.history_tables import FileVersionRow
from projects.shapes import file_info
from projects.tables import BlobRow, FileRow

_F = FileRow
_TEXT = sa.Text()
_COMMA = sa.literal_column("','", sa.Text)
CHANGE_KEYS: dict[str, Any] = {
    "project_id": sa.Uuid(),
    "user_id": sa.Uuid(),
    "path": _TEXT,
    "folded": _TEXT,
    # the folders that it is in, without case, one a line
    "folders": _TEXT,
    "hash": _TEXT,
    "size": sa.BigInteger(),
    "encoding": _TEXT,
    "content": sa.LargeBinary(),
    # the object store has the content
    "is_stored": sa.Boolean(),
    "document_id": sa.Uuid(),
    # of the document at the path that it comes from
    "last_version": sa.BigInteger(),
    "expected": _TEXT,
    "must_be": _TEXT,
    "moved_to": _TEXT,
    "moved_from": _TEXT,
    "is_quiet": sa.Boolean(),
    # the document at the path, where it is open live and collab holds it for this change
    "held": sa.Uuid(),
    # who typed it, with commas between, where it comes from a document that is open live
    "actors": _TEXT,
    "origin": _TEXT,
    "event_id": sa.Uuid(),
    "request_id": _TEXT,
    "traceparent": _TEXT,
    "bytes_max": sa.BigInteger(),
    "files_max": sa.BigInteger(),
}


def _change() -> "sa.Select[int, str, str | None, bytes | None, bool, UUID | None]":
    k = keys(**CHANGE_KEYS)
    asked = sa.select(k).cte("asked")
    decided = decided_of(asked)
    blobs = (
        insert(BlobRow)
        .from_select(
            ["hash", "size", "content"],
            sa.select(decided.c.hash, decided.c.size, decided.c.content)
            .ext(distinct_on(decided.c.hash))
            .where(
                decided.c.verdict == word("write"),
                decided.c.content.is_not(None) | decided.c.is_stored,
            ),
        )
        .on_conflict_do_nothing()
        .cte("blobs")
    )
    written = _written(decided)
    both = sa.select(
        written.c.project_id,
        written.c.hash,
        written.c.size,
        decided.c.was_hash,
        decided.c.bytes_max,
        decided.c.files_max,
    ).join(decided, _joined(decided, written))
    owned, heads = counted(both.subquery("both"))
    versions = _versions(decided, written, heads)
    events = insertion(_events(decided, written))
    return _answers(decided, written, heads).add_cte(blobs, owned, versions, events)


def _written(decided: sa.CTE) -> sa.CTE:
    """Write what may go through, unless somebody else was quicker since it was decided."""
    d = decided.c
    rows = (
        sa.select(
            d.project_id,
            d.path,
            d.folded,
            d.left_document,
            sa.func.greatest(d.was_version, d.last_version, sa.literal_column("0")) + 1,
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
                "version": sa.func.greatest(_F.version + 1, new.excluded.version),
                "updated_at": sa.func.now(),
            },
            where=_F.hash.is_not_distinct_from(new.excluded.previous_hash),
        )
        .returning(_F.__table__)
        .cte("written")
    )


def _joined(decided: sa.CTE, written: sa.CTE) -> "sa.ColumnElement[bool]":
    return sa.and_(decided.c.project_id == written.c.project_id, decided.c.path == written.c.path)


def _versions(decided: sa.CTE, written: sa.CTE, heads: sa.CTE) -> sa.CTE:
    w, d = written.c, decided.c
    rows = (
        sa.select(
            w.project_id,
            numbered(heads, d.i),
            w.path,
            w.version,
            d.document,
            w.hash,
            w.size,
            w.encoding,
            d.moved_to,
            d.moved_from,
            w.updated_by,
            d.origin,
            sa.cast(sa.func.string_to_array(d.actors, _COMMA), sa.ARRAY(sa.Uuid)),
            heads.c.at,
        )
        .select_from(written)
        .join(decided, _joined(decided, written))
        .join(heads, heads.c.project_id == w.project_id)
    )
    columns = ["project_id", "seq", "path", "version", "document_id", "hash", "size", "encoding"]
    columns += ["moved_to", "moved_from", "actor_id", "origin", "actors", "at"]
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


def _answers(
    decided: sa.CTE, written: sa.CTE, heads: sa.CTE
) -> "sa.Select[int, str, str | None, bytes | None, bool, UUID | None]":
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
        (w.path.is_not(None), encoded(file_info(w))),
        (
            d.was_hash.is_not(None) & one_of(d.verdict, "unchanged", "stale", "exists"),
            encoded(before),
        ),
    )
    etag = sa.func.coalesce(w.hash, d.was_hash)
    due = sa.func.coalesce(is_due(heads), sa.false())
    live = sa.case((d.verdict == word("live"), d.was_document))
    return (
        sa.select(d.i, verdict, etag, body, due, live)
        .select_from(decided)
        .outerjoin(written, _joined(decided, written))
        .outerjoin(heads, heads.c.project_id == w.project_id)
    )


CHANGE = _change()
