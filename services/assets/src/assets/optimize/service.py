"""Fewer bytes for an asset: asked for, followed, cancelled; and how it is done.

What is made are variants; the asset itself stays as it is.
"""

import asyncio
from uuid import UUID

import msgspec
import structlog

from assets import turns
from assets.errors import QuotaExceededError
from assets.library import service as library
from assets.means import Means
from assets.optimize import planning, repository
from assets.optimize.schema import Job, JobError
from assets.optimize.types import Claim, Outcome, Plan, Smaller, Wanted
from assets.permissions import demand_writer
from assets.studio import service as studio
from assets.variants import making
from assets.variants.types import Source
from common import exchange
from common.caller import Caller
from common.errors import (
    GONE_AWAY,
    ConflictError,
    NotFoundError,
    ServiceError,
    UnavailableError,
)
from common.exchange import Exchange
from common.ids import uuid7

log = structlog.get_logger()

_BROKEN = JobError("INTERNAL_ERROR", "Something went wrong.")
_SWEPT_MAX = 100


async def enqueue(means: Means, caller: Caller, asset_id: UUID, wanted: Wanted) -> Job:
    """Have an asset optimised after this; a hand is woken before the answer leaves."""
    asset = await library.show(means, caller, asset_id)
    await demand_writer(means.db, means.ask, caller, asset.project_id)
    plan = planning.planned(asset, wanted)
    making.refuse_large(means, asset.size)
    if plan.medium == "models":
        studio.tools(means)
    limit = means.settings.jobs_per_user_max
    async with means.db.transaction() as tx:
        await turns.take(tx, "jobs", caller.user_id)
        job = await repository.add(tx, uuid7(), caller.user_id, asset, plan, limit)
    if job is None:
        used = await repository.open_count(means.db, caller.user_id)
        message = "As many of your jobs are open as may be."
        raise QuotaExceededError(message, limit=limit, used=used)
    exchange.unsettle()
    return job


async def show(means: Means, caller: Caller, job_id: UUID) -> Job:
    """Return one of the caller's jobs."""
    job = await repository.show(means.db, job_id, caller.user_id)
    if job is None or not caller.confined_to(job.project_id):
        raise NotFoundError("There is no such job.")
    return job


async def cancel(means: Means, caller: Caller, job_id: UUID) -> None:
    """Let nothing more become of a job; what it made so far stays, and is found when asked for."""
    job = await show(means, caller, job_id)
    if not await repository.cancel(means.db, job_id, caller.user_id):
        raise ConflictError("The job is over.", {"status": job.status})


async def turn(means: Means) -> bool:
    """Do one job that waits, or whose worker has not been heard of; false where there is none."""
    claim = await repository.claim(means.db, uuid7(), means.settings.job_lease_s)
    if claim is None:
        await repository.sweep(means.db, means.settings.jobs_kept_days, _SWEPT_MAX)
        return False
    await _perform(means, claim)
    return True


async def _perform(means: Means, claim: Claim) -> None:
    db, settings = means.db, means.settings
    exchange.enter(Exchange(claim.request_id, claim.traceparent))
    about = {"job": str(claim.job_id), "attempt": claim.attempt}
    if claim.attempt > settings.job_attempts_max:
        log.error("job_given_up", **about)
        await repository.fail(db, claim, _BROKEN)
        return
    try:
        await _done(means, claim)
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


async def _done(means: Means, claim: Claim) -> None:
    """Make one file after the other, for as long as the job is ours."""
    plan = msgspec.convert(claim.given, Plan)
    source = Source(claim.project_id, plan.sha256, plan.mime_type)
    found: list[Smaller] = []
    for count, step in enumerate(plan.steps):
        # each file takes less than a lease: whoever is late lost it
        lease_s = means.settings.job_lease_s
        if not await repository.beat(means.db, claim, lease_s, count / len(plan.steps)):
            log.info("job_left", job=str(claim.job_id))
            return
        made = await making.made(means, source, plan.medium, "optimize", step.name, step.options)
        saved = plan.size - made.size
        found.append(Smaller(made.options, made.mime_type, made.sha256, made.size, saved))
    # what did not become smaller is of no use: then the original is what there is
    after = min(plan.size, *[one.size for one in found])
    saving = round(1 - after / plan.size, 4)
    await repository.complete(means.db, claim, Outcome(plan.size, after, saving, found))
