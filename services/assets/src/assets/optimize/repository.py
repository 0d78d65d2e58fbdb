"""The SQL of jobs: statements above, the functions that run them below.

A worker writes only while the row names it: whoever lost the job, or was cancelled, writes nothing
any more.
"""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import JSONB

from assets.made_tables import JobRow
from assets.optimize.schema import Job, JobError
from assets.optimize.types import Claim, Outcome, Plan, Status
from assets.types import Stored
from common import exchange
from common.database import Queries
from common.statements import word

_J = JobRow
_WHOLE = 100
_ID = bindparam("job_id", type_=sa.Uuid)
_USER = bindparam("caller_id", type_=sa.Uuid)
_WORKER = bindparam("worker", type_=sa.Uuid)
_OUTCOME = bindparam("new_outcome", type_=JSONB)
_IS_OPEN = _J.completed_at.is_(None)
_HELD = sa.and_(_J.id == _ID, _J.worker_id == _WORKER, _J.status == word("running"))
# a transaction's own time is the one at which it began
_NOW = sa.func.clock_timestamp()
_TOLD = (
    _J.id,
    _J.asset_id,
    _J.project_id,
    _J.status,
    _J.percent,
    _J.outcome,
    _J.created_at,
    _J.started_at,
    _J.completed_at,
)


def _in(name: str) -> "sa.ColumnElement[datetime]":
    seconds = bindparam(name, type_=sa.Double)
    return sa.func.now() + sa.func.make_interval(0, 0, 0, 0, 0, 0, seconds)


_OPEN_COUNT = sa.select(sa.func.count()).where(_J.user_id == _USER, _IS_OPEN)
_ADD = (
    sa.insert(_J)
    .from_select(
        [
            *("id", "user_id", "project_id", "asset_id", "given", "status"),
            *("request_id", "traceparent"),
        ],
        sa.select(
            _ID,
            _USER,
            bindparam("project", type_=sa.Uuid),
            bindparam("asset", type_=sa.Uuid),
            bindparam("plan", type_=JSONB),
            word("queued"),
            bindparam("request", type_=sa.Text),
            bindparam("trace", type_=sa.Text),
        ).where(bindparam("count_max", type_=sa.BigInteger) > _OPEN_COUNT.scalar_subquery()),
    )
    .returning(*_TOLD)
)
_SHOW = sa.select(*_TOLD).where(_J.id == _ID, _J.user_id == _USER)
_CANCEL = (
    sa.update(_J)
    .where(_J.id == _ID, _J.user_id == _USER, _IS_OPEN)
    .values(status="cancelled", completed_at=_NOW, worker_id=None)
    .returning(_J.id)
)
_NEXT = (
    sa.select(_J.id)
    .where(_IS_OPEN, _J.held_until <= sa.func.now())
    .order_by(_J.id)
    .limit(1)
    .with_for_update(skip_locked=True)
)
_CLAIM = (
    sa.update(_J)
    .where(_J.id == _NEXT.scalar_subquery())
    .values(
        status="running",
        worker_id=_WORKER,
        held_until=_in("lease_s"),
        attempt=_J.attempt + 1,
        percent=0,
        started_at=sa.func.coalesce(_J.started_at, _NOW),
    )
    .returning(
        _J.id,
        _J.worker_id,
        _J.project_id,
        _J.given,
        _J.attempt,
        _J.request_id,
        _J.traceparent,
    )
)
_BEAT = (
    sa.update(_J)
    .where(_HELD)
    .values(held_until=_in("lease_s"), percent=bindparam("new_percent", type_=sa.BigInteger))
    .returning(_J.id)
)
_END = (
    sa.update(_J)
    .where(_HELD)
    .values(
        status=bindparam("new_status", type_=sa.Text),
        percent=bindparam("new_percent", type_=sa.BigInteger),
        outcome=_OUTCOME,
        completed_at=_NOW,
        worker_id=None,
    )
)
_GIVE_BACK = (
    sa.update(_J)
    .where(_HELD)
    .values(
        status="queued",
        worker_id=None,
        held_until=_in("pause_s"),
        attempt=_J.attempt - bindparam("forgiven", type_=sa.BigInteger),
        percent=0,
    )
)
_STALE = (
    sa.select(_J.id)
    .where(_J.completed_at < sa.func.now() - sa.func.make_interval(0, 0, 0, bindparam("kept_days")))
    .limit(bindparam("limit", type_=sa.BigInteger))
    .with_for_update(skip_locked=True)
)
_SWEEP = sa.delete(_J).where(_J.id.in_(_STALE))


def _job(
    job_id: UUID,
    asset_id: UUID,
    project_id: UUID,
    status: str,
    percent: int,
    outcome: dict[str, Any] | None,
    *times: datetime | None,
) -> Job:
    created_at, started_at, completed_at = times
    return Job(
        id=job_id,
        asset_id=asset_id,
        project_id=project_id,
        status=cast("Status", status),
        progress=percent / _WHOLE,
        result=msgspec.convert(outcome, Outcome) if outcome and status == "complete" else None,
        error=msgspec.convert(outcome, JobError) if outcome and status == "failed" else None,
        created_at=cast("datetime", created_at),
        started_at=started_at,
        completed_at=completed_at,
    )


async def add(
    db: Queries, job_id: UUID, user_id: UUID, asset: Stored, plan: Plan, count_max: int
) -> Job | None:
    """Queue a job; ``None`` where as many of the user's are open as may be."""
    now = exchange.current()
    return await db.one_or_none(
        _ADD,
        _job,
        job_id=job_id,
        caller_id=user_id,
        project=asset.project_id,
        asset=asset.id,
        plan=msgspec.to_builtins(plan),
        count_max=count_max,
        request=now.request_id if now else "",
        trace=now.traceparent if now else "",
    )


async def open_count(db: Queries, user_id: UUID) -> int:
    """Return how many of the user's jobs are not over."""
    return await db.one(_OPEN_COUNT, int, caller_id=user_id)


async def show(db: Queries, job_id: UUID, user_id: UUID) -> Job | None:
    """Return the user's job."""
    return await db.one_or_none(_SHOW, _job, job_id=job_id, caller_id=user_id)


async def cancel(db: Queries, job_id: UUID, user_id: UUID) -> bool:
    """Let nothing more become of the user's job; return whether it was still open."""
    return await db.one_or_none(_CANCEL, bool, job_id=job_id, caller_id=user_id) is not None


async def claim(db: Queries, worker: UUID, lease_s: float) -> Claim | None:
    """Take the oldest job that nobody holds."""
    return await db.one_or_none(_CLAIM, Claim, worker=worker, lease_s=lease_s)


async def beat(db: Queries, claim: Claim, lease_s: float, progress: float) -> bool:
    """Hold the job for longer, and write how far it is; return whether it is still the worker's."""
    percent = int(progress * _WHOLE)
    row = await db.one_or_none(_BEAT, bool, **_held(claim), lease_s=lease_s, new_percent=percent)
    return row is not None


async def complete(db: Queries, claim: Claim, outcome: Outcome) -> None:
    """End the job with what it made, if it is still the worker's."""
    made = msgspec.to_builtins(outcome)
    await db.run(_END, **_held(claim), new_status="complete", new_percent=_WHOLE, new_outcome=made)


async def fail(db: Queries, claim: Claim, error: JobError) -> None:
    """End the job, if it is still the worker's."""
    told = msgspec.to_builtins(error)
    await db.run(_END, **_held(claim), new_status="failed", new_percent=0, new_outcome=told)


async def give_back(db: Queries, claim: Claim, pause_s: float, *, forgiven: bool) -> None:
    """Let others take the job after a pause; a ``forgiven`` attempt does not count."""
    await db.run(_GIVE_BACK, **_held(claim), pause_s=pause_s, forgiven=int(forgiven))


def _held(claim: Claim) -> dict[str, object]:
    return {"job_id": claim.job_id, "worker": claim.worker_id}


async def sweep(db: Queries, kept_days: int, limit: int) -> None:
    """Forget some jobs that have long been over."""
    await db.run(_SWEEP, kept_days=kept_days, limit=limit)
