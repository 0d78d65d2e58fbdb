"""The SQL of checkpoints: statements above, the functions that run them below."""

from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam

from common.database import Database, Queries
from projects.checkpoints.schema import Checkpoint
from projects.checkpoints.types import Standing
from projects.history_tables import CheckpointRow
from projects.past import files_at, head_seq
from projects.permissions import visible
from projects.shapes import tree_hash
from projects.tables import FileRow, MemberRow

_C, _F = CheckpointRow, FileRow
_PROJECT = bindparam("project_id", type_=sa.Uuid)
_ID = bindparam("id", type_=sa.Uuid)
_SEQ = bindparam("seq", type_=sa.BigInteger)
_COLUMNS = (
    _C.id,
    _C.name,
    _C.seq,
    _C.tree_hash,
    _C.files,
    _C.is_automatic,
    _C.actor_id,
    _C.created_at,
)
_STANDING = (_F.path, _F.document_id, _F.version, _F.hash, _F.size, _F.encoding)
_LIVE = sa.select(*_STANDING).where(_F.project_id == _PROJECT, _F.hash.is_not(None))
_then = files_at(_PROJECT, _SEQ).subquery("then")
_THEN = sa.select(*[_then.c[column.key] for column in _STANDING])


_COUNT = sa.select(sa.func.count()).where(_C.project_id == _PROJECT)


def _add(seq: "sa.ColumnElement[int]", tree: sa.CTE) -> sa.Insert:
    """One statement sees one moment: what is counted and hashed is the tree of that number."""
    row = sa.select(
        _ID,
        _PROJECT,
        bindparam("name", type_=sa.Text),
        seq,
        sa.select(tree_hash(tree)).select_from(tree).scalar_subquery(),
        sa.select(sa.func.count()).select_from(tree).scalar_subquery(),
        bindparam("is_automatic", type_=sa.Boolean),
        bindparam("actor_id", type_=sa.Uuid),
    ).where(bindparam("count_max", type_=sa.BigInteger) > _COUNT.scalar_subquery())
    columns = ["id", "project_id", "name", "seq", "tree_hash", "files", "is_automatic", "actor_id"]
    return sa.insert(_C).from_select(columns, row)


_ADD_NOW = _add(head_seq(_PROJECT), _LIVE.cte("tree")).returning(*_COLUMNS)
_ADD_PAST = _add(_SEQ, _THEN.cte("tree")).returning(*_COLUMNS)
_SEEN = visible(sa.select(MemberRow.role))
_LIST = (
    sa.select(*_COLUMNS)
    .where(_C.project_id == _PROJECT, _C.id < bindparam("before", type_=sa.Uuid))
    .order_by(_C.id.desc())
    .limit(bindparam("limit", type_=sa.BigInteger))
)
_ONE = sa.select(*_COLUMNS).where(_C.project_id == _PROJECT, _C.id == _ID)
_now = _LIVE.cte("now")
_HASH_NOW = sa.select(head_seq(_PROJECT), sa.select(tree_hash(_now)).scalar_subquery())


class Seen(msgspec.Struct, frozen=True):
    """A project that a user may see, and their role in it, if any."""

    role: str | None


class Head(msgspec.Struct, frozen=True):
    """How far a project's history has got, and the hash of its tree."""

    seq: int
    tree_hash: str


async def add(
    db: Queries, checkpoint_id: UUID, project_id: UUID, seq: int | None, **values: object
) -> Checkpoint | None:
    """Name the moment ``seq``, or this one; ``None`` where there are as many as there may be."""
    statement = _ADD_NOW if seq is None else _ADD_PAST
    moment = {} if seq is None else {"seq": seq}
    return await db.one_or_none(
        statement, Checkpoint, id=checkpoint_id, project_id=project_id, **moment, **values
    )


async def count(db: Queries, project_id: UUID) -> int:
    """Return how many checkpoints a project has."""
    return await db.one(_COUNT, int, project_id=project_id)


async def seen(db: Queries, project_id: UUID, user_id: UUID) -> Seen | None:
    """Return as whom the user sees the project, if they may see it."""
    return await db.one_or_none(_SEEN, Seen, project_id=project_id, user_id=user_id)


async def listed(db: Database, project_id: UUID, before: UUID, limit: int) -> list[Checkpoint]:
    """Return the newest checkpoints of a project that were made before one."""
    return await db.all(_LIST, Checkpoint, project_id=project_id, before=before, limit=limit)


async def one(db: Queries, project_id: UUID, checkpoint_id: UUID) -> Checkpoint | None:
    """Return a checkpoint of a project."""
    return await db.one_or_none(_ONE, Checkpoint, project_id=project_id, id=checkpoint_id)


async def live(tx: Queries, project_id: UUID) -> list[Standing]:
    """Return the files that are there now."""
    return await tx.all(_LIVE, Standing, project_id=project_id)


async def then(tx: Queries, project_id: UUID, seq: int) -> list[Standing]:
    """Return the files that were there at a moment."""
    return await tx.all(_THEN, Standing, project_id=project_id, seq=seq)


async def head(tx: Queries, project_id: UUID) -> Head:
    """Return how the project is now."""
    return await tx.one(_HASH_NOW, Head, project_id=project_id)
