"""The SQL of history: statements above, the functions that run them below."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import aliased

from common.database import Database
from common.statements import word
from projects.files.types import Encoding
from projects.history.schema import Action, FileVersion
from projects.history_tables import FileVersionRow
from projects.permissions import visible
from projects.tables import FileRow, ProjectRow

type _Told = tuple[
    int,
    str,
    int,
    Action,
    str | None,
    int | None,
    Encoding,
    str | None,
    str | None,
    UUID,
    list[UUID],
    str,
    datetime,
]

_F, _V = FileRow, FileVersionRow
_BEFORE = aliased(_V)
_PROJECT = bindparam("project_id", type_=sa.Uuid)
_PATH = bindparam("path", type_=sa.Text)
_END = bindparam("before", type_=sa.BigInteger)
_LIMIT = bindparam("limit", type_=sa.BigInteger)


def _action(v: Any) -> "sa.ColumnElement[Any]":  # noqa: ANN401 - a version's columns
    """What was done, by what is there and what was there before."""
    was = (
        sa.select(_BEFORE.hash)
        .where(_BEFORE.project_id == _PROJECT, _BEFORE.path == v.path, _BEFORE.seq < v.seq)
        .order_by(_BEFORE.seq.desc())
        .limit(1)
        .scalar_subquery()
    )
    return sa.case(
        (v.moved_to.is_not(None) | v.moved_from.is_not(None), word("moved")),
        (v.hash.is_(None), word("deleted")),
        (was.is_(None), word("created")),
        else_=word("updated"),
    )


def _told(some: Any) -> "sa.Select[*_Told]":  # noqa: ANN401 - a selectable of versions
    v = some.c
    return sa.select(
        v.seq,
        v.path,
        v.version,
        _action(v),
        v.hash,
        sa.case((v.hash.is_not(None), v.size)),
        v.encoding,
        v.moved_to,
        v.moved_from,
        v.actor_id,
        sa.func.coalesce(v.actors, postgresql.array([v.actor_id])),
        v.origin,
        v.at,
    ).order_by(v.seq.desc())


def _last(*where: "sa.ColumnElement[bool]") -> "sa.Select[Any]":
    """The newest versions before a place in the feed; newest first."""
    newest = sa.select(_V).where(_V.project_id == _PROJECT, *where)
    return newest.where(_V.seq < _END).order_by(_V.seq.desc()).limit(_LIMIT)


_FEED = _told(_last().subquery("some"))
# where the file is now says which document it is; what it was before it came there is told too
_DOCUMENT = (
    sa.select(_F.document_id).where(_F.project_id == _PROJECT, _F.path == _PATH).scalar_subquery()
)
_FILE_FEED = _told(
    sa.select(
        sa.union(
            sa.select(_last(_V.path == _PATH).subquery()),
            sa.select(_last(_V.document_id == _DOCUMENT).subquery()),
        ).subquery()
    )
    .order_by(sa.text("seq DESC"))
    .limit(_LIMIT)
    .subquery("some")
)
_IS_VISIBLE = visible(sa.select(ProjectRow.id))
# of its own document first: another one may have been at the path before
_VERSION = visible(
    sa.select(_V.hash, _V.size, _V.encoding)
    .select_from(_V)
    .where(
        _V.project_id == ProjectRow.id,
        _V.version == bindparam("version", type_=sa.BigInteger),
        _V.hash.is_not(None),
        (_V.path == _PATH) | (_V.document_id == _DOCUMENT),
    )
    .order_by((_V.document_id == _DOCUMENT).desc(), (_V.path == _PATH).desc(), _V.seq.desc())
    .limit(1)
)


class Content(msgspec.Struct, frozen=True):
    """What was in a version of a file."""

    hash: str | None
    size: int
    encoding: str


async def is_visible(db: Database, project_id: UUID, user_id: UUID) -> bool:
    """Whether the user may see the project."""
    found = await db.one_or_none(_IS_VISIBLE, _same, project_id=project_id, user_id=user_id)
    return found is not None


def _same(project_id: UUID) -> UUID:
    return project_id


async def feed(db: Database, project_id: UUID, before: int, limit: int) -> list[FileVersion]:
    """Return the newest changes of a project before a place in its history."""
    return await db.all(_FEED, FileVersion, project_id=project_id, before=before, limit=limit)


async def file_feed(
    db: Database, project_id: UUID, path: str, before: int, limit: int
) -> list[FileVersion]:
    """Return the newest changes of what is or was at a path, wherever it was then."""
    return await db.all(
        _FILE_FEED, FileVersion, project_id=project_id, path=path, before=before, limit=limit
    )


async def version(
    db: Database, project_id: UUID, user_id: UUID, path: str, number: int
) -> Content | None:
    """Return what was in a version of a file, if the user may see the project."""
    return await db.one_or_none(
        _VERSION, Content, project_id=project_id, user_id=user_id, path=path, version=number
    )
