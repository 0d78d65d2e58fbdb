"""What nobody else looks after: lost builds and jobs, logs, deleted objects, the cache."""

import asyncio
from uuid import UUID

import structlog

from builds import places, wakes
from builds.logs import store
from builds.metrics import meters
from builds.pipeline.context import tidy
from builds.runs import superseding
from builds.upkeep import orphans, repository
from builds.upkeep.repository import Deleted
from builds.work import dead
from builds.work.dead import CONSUMER, STREAM
from builds.work.one import Bench
from common.errors import UnavailableError

log = structlog.get_logger()

_AT_ONCE = 20


async def run(bench: Bench) -> None:
    """Go round for ever; what fails is tried at the next round."""
    # a store that does not answer must not keep lost builds waiting
    await asyncio.gather(_guard(bench), _clean(bench))


async def _clean(bench: Bench) -> None:
    while True:
        for chore in (_shelve, _sweep, _collect, _trim):
            try:
                await chore(bench)
            except Exception as exc:  # noqa: BLE001 - the other chores are still to be done
                log.warning("chore_failed", chore=chore.__name__, error=repr(exc))
        await asyncio.sleep(bench.settings.janitor_every_s)


async def _guard(bench: Bench) -> None:
    loop = asyncio.get_running_loop()
    reaps_at = loop.time()
    while True:
        # after an outage of the database nobody has been heard of: they get time to speak first
        chores = [_supersede, _remind] + ([_reap] if loop.time() >= reaps_at else [])
        for chore in chores:
            try:
                await chore(bench)
            except Exception as exc:  # noqa: BLE001 - the other chores are still to be done
                log.warning("chore_failed", chore=chore.__name__, error=repr(exc))
                reaps_at = loop.time() + bench.settings.lease_lost_s
        await asyncio.sleep(bench.settings.janitor_every_s)


async def _reap(bench: Bench) -> None:
    """Builds whose worker is gone are tried once more, and then given up."""
    settings = bench.settings
    most, lost_s = settings.attempts_max, settings.lease_lost_s
    for build in await repository.lost(bench.db, most, lost_s, _AT_ONCE):
        if build.is_last:
            await _give_up(bench, build.build_id)
        else:
            await repository.requeue(bench.db, build.build_id, most, lost_s)
        log.warning("build_lost", build=str(build.build_id), is_last=build.is_last)
        await wakes.tell(bench.bus, build.build_id)


async def _give_up(bench: Bench, build_id: UUID) -> None:
    most, lost_s = bench.settings.attempts_max, bench.settings.lease_lost_s
    message = f"The worker was lost {most} times."
    # of several who look after it one does this, and none where the build came back
    if await repository.give_up(bench.db, build_id, most, lost_s, "WORKER_LOST", message):
        meters.ended("failed", "WORKER_LOST")
        await dead.bury_build(bench.bus, build_id, message)


async def _remind(bench: Bench) -> None:
    """Where builds wait long and the queue has too few jobs, jobs were lost: with its disk, say."""
    after_s = bench.settings.requeue_after_s
    waiting = await repository.unheard(bench.db, after_s, _AT_ONCE)
    stream = bench.bus.stream
    if not waiting or stream is None:
        return
    try:
        queue = await stream.consumer_info(STREAM, CONSUMER)
    except dead.FAILURES:
        return
    jobs = (queue.num_pending or 0) + (queue.num_ack_pending or 0)
    missing = await repository.without_job(bench.db) - jobs
    for build_id in waiting[: max(missing, 0)]:
        log.warning("job_lost", build=str(build_id))
        await repository.ask_again(bench.db, build_id, after_s)


async def _supersede(bench: Bench) -> None:
    for build_id in await superseding.outdate(bench.db):
        meters.ended("superseded")
        await wakes.tell(bench.bus, build_id)


async def _shelve(bench: Bench) -> None:
    """Logs of builds that have ended go to the object store."""
    await store.move(bench.db, bench.storage, _AT_ONCE)


async def _sweep(bench: Bench) -> None:
    """Objects of deleted builds go unless another build has them, then their rows."""
    for build in await repository.deleted(bench.db, bench.settings.lease_lost_s, _AT_ONCE):
        try:
            for key in _keys(build):
                await bench.storage.delete(places.BUCKET, key)
        except UnavailableError:
            return
        await repository.remove(bench.db, build.build_id)


def _keys(build: Deleted) -> list[str]:
    own = [places.log(build.build_id)]
    if build.result_id is None or build.is_shared:
        return own
    files = [places.artifact(build.result_id, artifact["name"]) for artifact in build.artifacts]
    return [*own, *places.pages(build.result_id, build.site), *files]


async def _collect(bench: Bench) -> None:
    """Objects that a worker left when it was killed go after a day."""
    try:
        await orphans.collect(bench)
    except UnavailableError:
        return


async def _trim(bench: Bench) -> None:
    if not isinstance(bench.shop, str):
        cache = bench.shop.cache
        await asyncio.to_thread(cache.trim, bench.settings.build_cache_bytes_max)
        await asyncio.to_thread(tidy, bench.shop)
