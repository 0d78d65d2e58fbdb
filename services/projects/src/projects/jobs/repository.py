"""The SQL of jobs: statements above, the functions that run them below.

A worker writes only while the row names it: whoever lost the job, or was cancelled, writes nothing
any more.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import JSONB

from common import exchange
from common.database import Queries
from common.statements import word
from projects.jobs.schema import Job, JobError
from projects.jobs.types import Claim, Outcome, Status
from projects.tables import JobRow

_J = JobRow
_WHOLE = 100
_ID = bindparam("job_id", type_=sa.Uuid)
_USER = bindparam("user_id", type_=sa.Uuid)
_WORKER = bindparam("worker", type_=sa.Uuid)
_LIMIT = bindparam("limit", type_=sa.BigInteger)
_OUTCOME = bindparam("new_outcome", type_=JSONB)
_IS_OPEN = _J.completed_at.is_(None)
_HELD = sa.and_(_J.id == _ID, _J.worker_id == _WORKER, _J.status == word("running"))
# a transaction's own time is the one at which it began
_NOW = sa.func.clock_timestamp()
_TOLD = (
    _J.id,
    _J.kind,
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


# a statement of its own: what the next one counts is what others did before they let go
_HOLD_USER = sa.select(
    sa.func.pg_advisory_xact_lock(
        sa.func.hashtextextended(
            sa.literal_column("'projects.jobs.'", sa.Text).concat(sa.cast(_USER, sa.Text)),
            sa.literal_column("0"),
        )
    )
)
_OPEN_COUNT = sa.select(sa.func.count()).where(_J.user_id == _USER, _IS_OPEN)
_ADD = (
    sa.insert(_J)
    .from_select(
        ["id", "user_id", "kind", "given", "status", "request_id", "traceparent"],
        sa.select(
            _ID,
            _USER,
            bindparam("kind", type_=sa.Text),
            bindparam("given", type_=JSONB),
            word("queued"),
            bindparam("request_id", type_=sa.Text),
            bindparam("traceparent", type_=sa.Text),
        ).where(bindparam("count_max", type_=sa.BigInteger) > _OPEN_COUNT.scalar_subquery()),
    )
    .returning(*_TOLD)
)
_SHOW = sa.select(*_TOLD).where(_J.id == _ID, _J.user_id == _USER)
_BEFORE = bindparam("before", type_=sa.Uuid)
_FEED = (
    sa.select(*_TOLD)
    .where(_J.user_id == _USER, _BEFORE.is_(None) | (_J.id < _BEFORE))
    .order_by(_J.id.desc())
    .limit(_LIMIT)
)
_CANCEL = (
    sa.update(_J)
    .where(_J.id == _ID, _J.user_id == _USER, _IS_OPEN)
    .values(status="cancelled", completed_at=_NOW, worker_id=None)
    .returning(_J.id)
)
_NEXT = (
    sa.select(_J.id)
    .where(_IS_OPEN, _J.held_until <= sa.func.now())
    .where(_J.kind == sa.any_(bindparam("kinds", type_=sa.ARRAY(sa.Text))))
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
        _J.user_id,
        _J.kind,
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
_COMPLETE = (
    sa.update(_J)
    .where(_HELD)
    .values(status="complete", percent=_WHOLE, outcome=_OUTCOME, completed_at=_NOW, worker_id=None)
    .returning(_J.id)
)
_FAIL = (
    sa.update(_J)
    .where(_HELD)
    .values(status="failed", outcome=_OUTCOME, completed_at=_NOW, worker_id=None)
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
_FORGET = sa.delete(_J).where(_J.user_id == _USER)
_STALE = (
    sa.select(_J.id)
    .where(_J.completed_at < sa.func.now() - sa.func.make_interval(0, 0, 0, bindparam("kept_days")))
    .limit(_LIMIT)
    .with_for_update(skip_locked=True)
)
_SWEEP = sa.delete(_J).where(_J.id.in_(_STALE)).returning(_J.id)


def _job(
    job_id: UUID,
    kind: str,
    status: str,
    percent: int,
    outcome: dict[str, Any] | None,
    *times: datetime | None,
) -> Job:
    created_at, started_at, completed_at = times
    return Job(
        id=job_id,
        kind=kind,
        status=cast("Status", status),
        progress=percent / _WHOLE,
        result=msgspec.convert(outcome, Outcome) if outcome and status == "complete" else None,
        error=msgspec.convert(outcome, JobError) if outcome and status == "failed" else None,
        created_at=cast("datetime", created_at),
        started_at=started_at,
        completed_at=completed_at,
    )


async def hold_user(tx: Queries, user_id: UUID) -> None:
    """Be the only one who queues a job for the user."""
    await tx.run(_HOLD_USER, user_id=user_id)


async def add(
    db: Queries, job_id: UUID, user_id: UUID, kind: str, given: dict[str, Any], count_max: int
) -> Job | None:
    """Queue a job; ``None`` where as many of the user's are open as may be."""
    now = exchange.current()
    return await db.one_or_none(
        _ADD,
        _job,
        job_id=job_id,
        user_id=user_id,
        kind=kind,
        given=given,
        count_max=count_max,
        request_id=now.request_id if now else "",
        traceparent=now.traceparent if now else "",
    )


async def open_count(db: Queries, user_id: UUID) -> int:
    """Return how many of the user's jobs are not over."""
    return await db.one(_OPEN_COUNT, int, user_id=user_id)


async def show(db: Queries, job_id: UUID, user_id: UUID) -> Job | None:
    """Return the user's job."""
    return await db.one_or_none(_SHOW, _job, job_id=job_id, user_id=user_id)


async def feed(db: Queries, user_id: UUID, before: UUID | None, limit: int) -> list[Job]:
    """Return the user's jobs before one, the newest first."""
    return await db.all(_FEED, _job, user_id=user_id, before=before, limit=limit)


async def cancel(db: Queries, job_id: UUID, user_id: UUID) -> bool:
    """Let nothing become of the user's job; return whether it was still open."""
    return await db.one_or_none(_CANCEL, bool, job_id=job_id, user_id=user_id) is not None


async def claim(db: Queries, worker: UUID, kinds: Collection[str], lease_s: float) -> Claim | None:
    """Take the oldest job that nobody holds, of these kinds."""
    return await db.one_or_none(_CLAIM, Claim, worker=worker, kinds=list(kinds), lease_s=lease_s)


async def beat(db: Queries, claim: Claim, lease_s: float, progress: float) -> bool:
    """Hold the job for longer, and write how far it is; return whether it is still the worker's."""
    held = {"job_id": claim.job_id, "worker": claim.worker_id}
    percent = int(progress * _WHOLE)
    row = await db.one_or_none(_BEAT, bool, **held, lease_s=lease_s, new_percent=percent)
    return row is not None


async def complete(tx: Queries, claim: Claim, outcome: Outcome) -> bool:
    """End the job with what it made; return whether it was still the worker's."""
    held = {"job_id": claim.job_id, "worker": claim.worker_id}
    made = msgspec.to_builtins(outcome)
    return await tx.one_or_none(_COMPLETE, bool, **held, new_outcome=made) is not None


async def fail(db: Queries, claim: Claim, error: JobError) -> None:
    """End the job, if it is still the worker's."""
    held = {"job_id": claim.job_id, "worker": claim.worker_id}
    await db.run(_FAIL, **held, new_outcome=msgspec.to_builtins(error))


async def give_back(db: Queries, claim: Claim, pause_s: float, *, forgiven: bool) -> None:
    """Let others take the job after a pause; a ``forgiven`` attempt does not count."""
    held = {"job_id": claim.job_id, "worker": claim.worker_id}
    await db.run(_GIVE_BACK, **held, pause_s=pause_s, forgiven=int(forgiven))


async def forget(tx: Queries, user_id: UUID) -> None:
    """Forget the user's jobs, whatever became of them."""
    await tx.run(_FORGET, user_id=user_id)


async def sweep(db: Queries, kept_days: int, limit: int) -> int:
    """Forget some jobs that have long been over; return how many."""
    return len(await db.all(_SWEEP, _same, kept_days=kept_days, limit=limit))


def _same(job_id: UUID) -> UUID:
    return job_id
