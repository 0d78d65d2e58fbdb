"""The SQL of mentions: statements above, the functions that run them below."""

from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam

from common.database import Queries
from common.statements import word
from projects import marks
from projects.history_tables import FileVersionRow
from projects.tables import FileRow, ProjectRow

_F, _V = FileRow, FileVersionRow
_PROJECT = bindparam("project_id", type_=sa.Uuid)
_AFTER = bindparam("after", type_=sa.Text)
_LIMIT = bindparam("limit", type_=sa.BigInteger)
_IS_ANY_LIVE = (
    sa.select(marks.is_any_live()).select_from(ProjectRow).where(ProjectRow.id == _PROJECT)
)
_NOW = (
    sa.select(_F.hash, sa.func.max(_F.size), sa.func.array_agg(_F.path, type_=sa.ARRAY(sa.Text)))
    .where(_F.project_id == _PROJECT, _F.hash > _AFTER, _F.encoding == word("utf-8"))
    .group_by(_F.hash)
    .order_by(_F.hash)
    .limit(_LIMIT)
)
# of the paths that had it, one
_EVER = (
    sa.select(
        _V.hash,
        sa.func.max(_V.size),
        sa.func.array_agg(sa.distinct(_V.path), type_=sa.ARRAY(sa.Text))[1:1],
    )
    .where(_V.project_id == _PROJECT, _V.hash > _AFTER, _V.encoding == word("utf-8"))
    .group_by(_V.hash)
    .order_by(_V.hash)
    .limit(_LIMIT)
)


class Text(msgspec.Struct, frozen=True):
    """The hash of a text, how many bytes it has, and where it is or was."""

    hash: str
    size: int
    paths: list[str]


async def is_any_live(db: Queries, project_id: UUID) -> bool | None:
    """Whether any file of a project is open live; ``None`` where there is no such project."""
    return await db.one_or_none(_IS_ANY_LIVE, bool, project_id=project_id)


async def texts(
    db: Queries, project_id: UUID, after: str, limit: int, *, ever_before: bool
) -> list[Text]:
    """Return the next texts that a project has, or ever had, in the order of their hashes."""
    statement = _EVER if ever_before else _NOW
    return await db.all(statement, Text, project_id=project_id, after=after, limit=limit)
