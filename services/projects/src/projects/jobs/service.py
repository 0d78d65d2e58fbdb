"""What may be done with jobs: asked for, followed, cancelled; and how one is done."""

import asyncio
import time
from collections.abc import Collection
from typing import Any
from uuid import UUID

import structlog

from common import exchange
from common.caller import Caller
from common.database import Database, Queries
from common.errors import (
    GONE_AWAY,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    ServiceError,
    UnavailableError,
)
from common.exchange import Exchange
from common.ids import uuid7
from projects.errors import QuotaExceededError
from projects.jobs import repository
from projects.jobs.schema import Job, JobError
from projects.jobs.types import Claim, Task, Work
from projects.means import Means
from projects.settings import Settings

log = structlog.get_logger()

_ABSENT = "There is no such job."
_BROKEN = JobError("INTERNAL_ERROR", "Something went wrong.")


async def enqueue(
    db: Database, settings: Settings, caller: Caller, kind: str, given: dict[str, Any]
) -> Job:
    """Have work done after this; a runner is woken before the answer leaves."""
    if caller.project_id is not None:
        raise ForbiddenError("This API key is for one project.")
    limit = settings.jobs_per_user_max
    async with db.transaction() as tx:
        await repository.hold_user(tx, caller.user_id)
        job = await repository.add(tx, uuid7(), caller.user_id, kind, given, limit)
        if job is None:
            used = await repository.open_count(tx, caller.user_id)
            message = "As many of your jobs are open as may be."
            raise QuotaExceededError(message, limit=limit, used=used)
    exchange.unsettle()
    return job


async def show(db: Queries, caller: Caller, job_id: UUID) -> Job:
    """Return one of the caller's jobs."""
    job = None
    if caller.project_id is None:
        job = await repository.show(db, job_id, caller.user_id)
    if job is None:
        raise NotFoundError(_ABSENT)
    return job


async def index(db: Queries, caller: Caller, before: UUID | None, limit: int) -> list[Job]:
    """Return the caller's newest jobs, and one more than ``limit`` if there are others.

    A key for one project has none.
    """
    if caller.project_id is not None:
        return []
    return await repository.feed(db, caller.user_id, before, limit + 1)


async def cancel(db: Database, caller: Caller, job_id: UUID) -> None:
    """Let nothing become of a job. What is under way finds out, and undoes what it did."""
    if caller.project_id is None and await repository.cancel(db, job_id, caller.user_id):
        return
    job = await show(db, caller, job_id)
    raise ConflictError("The job is over.", {"status": job.status})


async def claim(means: Means, kinds: Collection[str]) -> Claim | None:
    """Take a job that nobody does, or whose worker has not been heard of for too long."""
    return await repository.claim(means.db, uuid7(), kinds, means.settings.job_lease_s)


async def forget(tx: Queries, user_id: UUID) -> None:
    """Forget the jobs of an account that is gone; nothing becomes of what is under way."""
    await repository.forget(tx, user_id)


async def sweep(means: Means) -> int:
    """Forget some jobs that have long been over; return how many."""
    settings = means.settings
    return await repository.sweep(means.db, settings.jobs_kept_days, settings.sweep_rows_max)


class _LeftError(Exception):
    """The job was cancelled, or is another worker's by now."""


async def perform(means: Means, work: Work, claim: Claim) -> None:
    """Do a job; what became of it is written down when this returns, and it is done once at most.

    Whoever is cancelled meanwhile gives it back.
    """
    db, settings = means.db, means.settings
    exchange.enter(Exchange(claim.request_id, claim.traceparent))
    about = {"job": str(claim.job_id), "kind": claim.kind, "attempt": claim.attempt}
    if claim.attempt > settings.job_attempts_max:
        log.error("job_given_up", **about)
        await repository.fail(db, claim, _BROKEN)
        return
    try:
        await _held(means, work, claim)
    except _LeftError:
        log.info("job_left", **about)
    except asyncio.CancelledError:
        await repository.give_back(db, claim, 0, forgiven=True)
        raise
    except (*GONE_AWAY, UnavailableError) as exc:
        log.warning("job_waits", error=repr(exc), **about)
        await repository.give_back(db, claim, settings.job_pause_s, forgiven=False)
    except ServiceError as exc:
        log.info("job_failed", code=exc.code, **about)
        await repository.fail(db, claim, JobError(exc.code, str(exc)))
    except Exception as exc:
        log.exception("job_broke", error=repr(exc), **about)
        await repository.fail(db, claim, _BROKEN)
    else:
        log.info("job_complete", **about)


async def _held(means: Means, work: Work, claim: Claim) -> None:
    """Work for as long as the job is ours; raises ``_LeftError`` when it is not any more."""
    hold = _Hold(means, claim)
    loop = asyncio.get_running_loop()
    working = loop.create_task(_done(means, work, claim, hold))
    holding = loop.create_task(hold.keep())
    try:
        await asyncio.wait({working, holding}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise _LeftError
        working.result()
    finally:
        for task in (working, holding):
            task.cancel()
        await asyncio.gather(working, holding, return_exceptions=True)


async def _done(means: Means, work: Work, claim: Claim, hold: "_Hold") -> None:
    async with means.db.transaction() as tx:
        outcome = await work(means, Task(claim, tx, hold.reach))
        hold.is_ending = True
        # commits with the work: of two who did it, one gets here while the row names them
        if not await repository.complete(tx, claim, outcome):
            raise _LeftError


class _Hold:
    """A worker's hold of a job: it writes beside the work's own transaction, which nobody sees."""

    def __init__(self, means: Means, claim: Claim) -> None:
        self._db = means.db
        self._settings = means.settings
        self._claim = claim
        self._progress = 0.0
        self._told_at = float("-inf")
        self.is_ending = False

    async def reach(self, progress: float) -> None:
        """Write how far the work is, now and then; raises ``_LeftError``."""
        self._progress = min(max(progress, self._progress), 1.0)
        if time.monotonic() - self._told_at >= self._settings.job_progress_s:
            self._told_at = time.monotonic()
            if not await self._beat():
                raise _LeftError

    async def keep(self) -> None:
        """Hold on, however long the work takes; return when the job is not ours any more."""
        while True:
            await asyncio.sleep(self._settings.job_beat_s)
            # what ends just now is not open any more either
            if not await self._beat() and not self.is_ending:
                return

    async def _beat(self) -> bool:
        lease_s = self._settings.job_lease_s
        try:
            return await repository.beat(self._db, self._claim, lease_s, self._progress)
        except Exception as exc:  # noqa: BLE001 - who cannot ask goes on: its last word is refused if need be
            log.warning("job_not_held", job=str(self._claim.job_id), error=repr(exc))
            return True
