"""The SQL of the trash: statements above, the functions that run them below."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased

from common.database import Queries
from common.statements import word
from projects.history_tables import FileVersionRow, KeyframeRow
from projects.permissions import membership
from projects.tables import LooseBlobRow, MemberRow, ProjectBlobRow, ProjectRow

_P = ProjectRow
_OTHER = aliased(_P)
_PROJECT = bindparam("project_id", type_=sa.Uuid)
_HOLD = (
    sa.select(_P.deleted_at.is_not(None))
    .join(MemberRow, membership(bindparam("user_id", type_=sa.Uuid)))
    .where(_P.id == _PROJECT, MemberRow.role == word("owner"))
    .with_for_update(of=_P, key_share=True)
)
_LIVE_COUNT = (
    sa.select(sa.func.count())
    .where(_OTHER.owner_id == _P.owner_id, _OTHER.deleted_at.is_(None))
    .correlate(_P)
    .scalar_subquery()
)
_RESTORE = (
    sa.update(_P)
    .where(_P.id == _PROJECT, bindparam("count_max", type_=sa.BigInteger) > _LIVE_COUNT)
    .values(deleted_at=None)
    .returning(_P.name)
)
_HOLD_NOW = (
    sa.select(_P.name)
    .join(MemberRow, membership(bindparam("user_id", type_=sa.Uuid)))
    .where(_P.id == _PROJECT, MemberRow.role == word("owner"))
    .with_for_update(of=_P)
)
_V, _K = FileVersionRow, KeyframeRow
_OWN_HASHES = sa.select(_V.hash).where(_V.project_id == _PROJECT, _V.hash.is_not(None)).distinct()
_in_order = _OWN_HASHES.order_by(_V.hash)
_new_loose = insert(LooseBlobRow).from_select(["hash"], _in_order)
# what no other project has goes a while later
_LOOSEN = _new_loose.on_conflict_do_update(
    index_elements=[LooseBlobRow.hash], set_={"at": sa.func.now()}
)
_DISOWN = sa.delete(ProjectBlobRow).where(
    ProjectBlobRow.project_id == _PROJECT, ProjectBlobRow.hash.in_(_OWN_HASHES)
)


def _some(table: Any, seq: Any, count: int) -> "sa.Select[int]":  # noqa: ANN401 - a table and its column
    """Delete some rows of a project, so that no statement is a long one; tell how many."""
    some = sa.select(seq).where(table.project_id == _PROJECT).limit(count)
    rows = sa.delete(table).where(table.project_id == _PROJECT, seq.in_(some)).returning(seq)
    return sa.select(sa.func.count()).select_from(rows.cte("gone"))


# a keyframe has as many files as its tree
_STRETCHES = (_some(_K, _K.seq, 1), _some(_V, _V.seq, 10_000))
_DELETE = sa.delete(_P).where(_P.id == _PROJECT)


@asynccontextmanager
async def overtaken() -> AsyncGenerator[list[Exception]]:
    """Note in the list that a transaction was given up for a writer that was in the way."""
    noted: list[Exception] = []
    try:
        yield noted
    except (asyncpg.DeadlockDetectedError, asyncpg.LockNotAvailableError) as exc:
        noted.append(exc)


async def hold_now(tx: Queries, project_id: UUID, user_id: UUID) -> str | None:
    """Hold a project that the user owns against everybody; return its name."""
    return await tx.one_or_none(_HOLD_NOW, str, project_id=project_id, user_id=user_id)


async def purge(tx: Queries, project_id: UUID) -> None:
    """Delete a project that is held against everybody, and all that is known of it."""
    await tx.run(_LOOSEN, project_id=project_id)
    await tx.run(_DISOWN, project_id=project_id)
    for stretch in _STRETCHES:
        while await tx.one(stretch, int, project_id=project_id):
            pass
    await tx.run(_DELETE, project_id=project_id)


async def hold(tx: Queries, project_id: UUID, user_id: UUID) -> bool | None:
    """Hold a project that the user owns; return whether it is in the trash."""
    return await tx.one_or_none(_HOLD, bool, project_id=project_id, user_id=user_id)


async def restore(tx: Queries, project_id: UUID, count_max: int) -> str | None:
    """Take a project that is held out of the trash; ``None`` where its owner has enough others."""
    return await tx.one_or_none(_RESTORE, str, project_id=project_id, count_max=count_max)
