"""Whether a change of a file may go through: the caller, the condition, the clash, the quota."""

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from common.statements import one_of, word
from projects.marks import mark_of
from projects.permissions import WRITERS
from projects.tables import FileRow, HeadRow, MemberRow, ProjectBlobRow, ProjectRow

_F = FileRow
_COMMA = sa.literal_column("','", sa.Text)


def _clash(asked: sa.CTE) -> "sa.ColumnElement[bool]":
    """Something is in the way: the path in another case, or a file where a folder is to be.

    What goes in the same statement is in nobody's way.
    """
    twin = aliased(_F)
    leaving = asked.alias("leaving")
    a = asked.c
    line = sa.literal_column("E'\\n'", sa.Text)
    inside = a.folded.concat(word("/"))
    # "0" follows "/" in the order of bytes
    beyond = a.folded.concat(word("0"))
    ways = (
        (twin.folded == a.folded) & (twin.path != a.path),
        twin.folded == sa.any_(sa.func.string_to_array(a.folders, line)),
        (twin.folded >= inside) & (twin.folded < beyond),
    )
    is_staying = ~sa.exists().where(
        leaving.c.project_id == twin.project_id,
        leaving.c.path == twin.path,
        leaving.c.hash.is_(None),
    )
    # one by one, so that each finds its few rows by the index; together they would read them all
    return sa.or_(
        *[
            sa.exists().where(
                twin.project_id == a.project_id, way, twin.hash.is_not(None), is_staying
            )
            for way in ways
        ]
    )


def decided_of(asked: sa.CTE) -> sa.CTE:
    """Each change beside what is there now, and whether it may go through."""
    a = asked.c
    same = sa.and_(_F.hash == a.hash, a.must_be != word("absent"))
    is_new = a.hash.is_not(None) & _F.hash.is_(None)
    expected = sa.func.string_to_array(a.expected, _COMMA)
    is_known = sa.exists().where(
        ProjectBlobRow.hash == a.hash, ProjectBlobRow.project_id == a.project_id
    )
    # what was typed is written back whoever may write by now: they could when they typed
    is_typed = a.actors.is_not(None)
    has_no_role = MemberRow.role.is_(None) & ~is_typed
    verdict = sa.case(
        (ProjectRow.id.is_(None), word("missing")),
        (has_no_role & ~ProjectRow.is_public, word("missing")),
        (has_no_role | ~(is_typed | one_of(MemberRow.role, *WRITERS)), word("forbidden")),
        # first of what the file decides: its row may not tell what is in it
        (
            a.held.is_distinct_from(_F.document_id) & mark_of(_F).is_not(None),
            word("live"),
        ),
        (same, word("unchanged")),
        ((a.must_be == word("absent")) & _F.hash.is_not(None), word("exists")),
        (
            sa.case(
                (a.expected == word("*"), _F.hash.is_(None)),
                else_=a.expected.is_not(None)
                & (_F.hash.is_(None) | (_F.hash != sa.all_(expected))),
            ),
            word("stale"),
        ),
        ((a.must_be == word("present")) & _F.hash.is_(None), word("absent")),
        (is_new & _clash(asked), word("clash")),
        (is_new & a.moved_from.is_(None) & (HeadRow.files >= a.files_max), word("crowded")),
        ((HeadRow.bytes + a.size > a.bytes_max) & a.hash.is_not(None) & ~is_known, word("full")),
        else_=word("write"),
    )
    # a document that moved away is elsewhere now: what comes to its old path is another one
    stays = sa.func.coalesce(a.document_id, _F.document_id, a.event_id)
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
            _F.document_id.label("was_document"),
            stays.label("document"),
            sa.case((a.moved_to.is_not(None), a.event_id), else_=stays).label("left_document"),
        )
        .select_from(asked)
        .outerjoin(ProjectRow, (ProjectRow.id == a.project_id) & ProjectRow.deleted_at.is_(None))
        .outerjoin(
            MemberRow, (MemberRow.project_id == ProjectRow.id) & (MemberRow.user_id == a.user_id)
        )
        .outerjoin(HeadRow, HeadRow.project_id == ProjectRow.id)
        .outerjoin(_F, (_F.project_id == a.project_id) & (_F.path == a.path))
        .cte("decided")
    )
