"""The one statement that every change of files goes through.

It checks the caller, the precondition and the clash, and writes content, file, version and event,
or says why not. A row of it is one change; ``hash`` NULL means that the file goes.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.orm import aliased

from common.outbox import insertion
from common.statements import document, encoded, instant, keys, one_of, word
from projects.permissions import WRITERS
from projects.shapes import file_info
from projects.tables import BlobRow, FileRow, FileVersionRow, MemberRow, ProjectRow

_F = FileRow
_TEXT = sa.Text()
CHANGE_KEYS: dict[str, Any] = {
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


def _change() -> "sa.Select[int, str, str | None, bytes | None]":
    k = keys(**CHANGE_KEYS)
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
        (w.path.is_not(None), encoded(file_info(w))),
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


CHANGE = _change()
