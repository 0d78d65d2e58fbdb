"""What nobody else looks after: lost builds and jobs, logs, deleted objects, the cache."""

import asyncio

import structlog

from builds import places, wakes
from builds.logs import store
from builds.metrics import meters
from builds.pipeline.context import tidy
from builds.upkeep import repository
from builds.upkeep.repository import Deleted
from builds.work.one import Bench
from common.errors import UnavailableError

log = structlog.get_logger()

_AT_ONCE = 20


async def run(bench: Bench) -> None:
    """Go round for ever; what fails is tried at the next round."""
    loop = asyncio.get_running_loop()
    reaps_at = loop.time()
    while True:
        # after an outage of the database nobody has been heard of: they get time to speak first
        chores = [_remind, _shelve, _sweep, _trim] + ([_reap] if loop.time() >= reaps_at else [])
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
            message = f"The worker was lost {most} times."
            await repository.give_up(bench.db, build.build_id, most, lost_s, "WORKER_LOST", message)
            meters.ended("failed", "WORKER_LOST")
        else:
            await repository.requeue(bench.db, build.build_id, most, lost_s)
        log.warning("build_lost", build=str(build.build_id), is_last=build.is_last)
        await wakes.tell(bench.bus, build.build_id)


async def _remind(bench: Bench) -> None:
    """A build that waits long gets a new job: the first may be gone with the queue's disk."""
    after_s = bench.settings.requeue_after_s
    for build_id in await repository.unheard(bench.db, after_s, _AT_ONCE):
        await repository.ask_again(bench.db, build_id, after_s)


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


async def _trim(bench: Bench) -> None:
    if not isinstance(bench.shop, str):
        cache = bench.shop.cache
        await asyncio.to_thread(cache.trim, bench.settings.build_cache_bytes_max)
        await asyncio.to_thread(tidy, bench.shop)
