"""The SQL of previews: statements above, the functions that run them below."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import bindparam

from assets.made_tables import PreviewRow
from assets.previews.types import Claim
from common.database import Queries

_P = PreviewRow
_WORKER = bindparam("worker", type_=sa.Uuid)
_HELD = sa.and_(
    _P.project_id == bindparam("project_id", type_=sa.Uuid),
    _P.source == bindparam("sha256", type_=sa.Text),
    _P.worker_id == _WORKER,
)


def _in(name: str) -> "sa.ColumnElement[datetime]":
    seconds = bindparam(name, type_=sa.Double)
    return sa.func.now() + sa.func.make_interval(0, 0, 0, 0, 0, 0, seconds)


_DUE = (
    sa.select(_P.project_id, _P.source)
    .where(_P.held_until <= sa.func.now())
    .order_by(_P.held_until)
    .limit(1)
    .with_for_update(skip_locked=True)
    .cte("due")
)
_CLAIM = (
    sa.update(_P)
    .where(_P.project_id == _DUE.c.project_id, _P.source == _DUE.c.source)
    .values(worker_id=_WORKER, held_until=_in("lease_s"), attempt=_P.attempt + 1)
    .returning(_P.project_id, _P.source, _P.mime_type, _P.attempt, _P.worker_id)
)
_GIVE_BACK = sa.update(_P).where(_HELD).values(worker_id=None, held_until=_in("pause_s"))
_FINISH = sa.delete(_P).where(_HELD)


async def claim(db: Queries, worker: UUID, lease_s: float) -> Claim | None:
    """Take what has waited longest, and nobody holds."""
    return await db.one_or_none(_CLAIM, Claim, worker=worker, lease_s=lease_s)


async def give_back(db: Queries, claim: Claim, pause_s: float) -> None:
    """Let it be tried again after a pause."""
    await db.run(_GIVE_BACK, **_held(claim), pause_s=pause_s)


async def finish(db: Queries, claim: Claim) -> None:
    """Forget it: it is made, or will never be."""
    await db.run(_FINISH, **_held(claim))


def _held(claim: Claim) -> dict[str, object]:
    return {
        "project_id": claim.project_id,
        "sha256": claim.sha256,
        "worker": claim.worker_id,
    }
