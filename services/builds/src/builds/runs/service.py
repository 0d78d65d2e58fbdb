"""What may be done with builds."""

import asyncio
from uuid import UUID

import msgspec

from builds import recipe
from builds.errors import BuildNotFinishedError, BuildNotRetryableError, BuildNotVerifiableError
from builds.means import Means
from builds.metrics import meters
from builds.permissions import confine, demand, demand_reader, demand_writer
from builds.play import keys
from builds.runs import creation, repository
from builds.runs.columns import Seen
from builds.runs.repository import SORTS
from builds.runs.schema import Build, NewBuild
from builds.types import UNFINISHED, Manifest
from common.answers import Window, window
from common.caller import NOBODY, Caller
from common.contracts.builds import BuildCancelled, BuildQueued
from common.database import Queries
from common.errors import ConflictError, NotFoundError, UnavailableError
from common.ids import uuid7

_MISSING = "There is no such build."
_BARRED = "Whoever wanted this build may not build in this project any more."


async def start(means: Means, caller: Caller, new: NewBuild) -> Build:
    """Put a build of the tree as it is now into the queue, unless it was built before."""
    await demand_writer(means.db, means.peers.access, caller, new.project_id)
    (tree, manifest), assets = await asyncio.gather(
        means.peers.pin(new.project_id, new.at), means.peers.assets(new.project_id)
    )
    event = BuildQueued(
        build_id=uuid7(),
        project_id=new.project_id,
        user_id=caller.user_id,
        target=new.target,
        source_tree=tree,
    )
    whole = Manifest(manifest.seq, manifest.files, assets)
    key = means.toolchain and recipe.key(means.toolchain, new.target, new.options, whole)
    made = await creation.create(means.db, event, new.options, whole, at=new.at, key=key)
    if made is None:
        # the role was lost since it was asked for
        await demand_writer(means.db, means.peers.access, caller, new.project_id)
        raise UnavailableError
    meters.wanted(is_cached=made.build.cached)
    if made.build.cached:
        meters.ended(made.build.status)
    for other in made.superseded:
        meters.ended("superseded")
        await means.wakes.wake(other)
    return told(means, caller, Seen(None, made.is_public, made.build))


async def show(means: Means, caller: Caller, build_id: UUID) -> Build:
    """Return a build."""
    return told(means, caller, await seen(means, caller, build_id))


async def seen(means: Means, caller: Caller, build_id: UUID) -> Seen:
    """Return a build and the caller's role; raises ``NotFoundError``."""
    found = await repository.one(means.db, build_id, caller.user_id)
    if found is None:
        raise NotFoundError(_MISSING)
    confine(caller, found.build.project_id)
    return found


async def settled(means: Means, caller: Caller, build_id: UUID, wait_s: float) -> Build:
    """Return a build when it has ended, or as it is when the time has passed."""
    loop = asyncio.get_running_loop()
    until = loop.time() + wait_s
    async with means.wakes.waiting(build_id) as waiting:
        while True:
            build = await show(means, caller, build_id)
            left_s = until - loop.time()
            if build.status not in UNFINISHED or left_s <= 0 or means.watch.is_draining:
                return build
            await waiting.news(min(left_s, means.settings.log_poll_s))


async def index(
    means: Means, caller: Caller, project_id: UUID, page: int, limit: int, sort: str
) -> tuple[list[Build], int, Window]:
    """Return a page of a project's builds."""
    wanted = window(page, limit, sort, SORTS)
    await demand_reader(means.db, means.peers.access, caller, project_id)
    rows, total = await repository.listed(means.db, project_id, wanted)
    return [told(means, caller, row) for row in rows], total, wanted


async def cancel(means: Means, caller: Caller, build_id: UUID) -> Build:
    """End a build; to end it twice changes nothing."""
    found = await seen(means, caller, build_id)
    demand(found.role)
    if found.build.status == "cancelled":
        return found.build
    build = await repository.cancel(means.db, _cancelled(caller, found.build))
    if build is None:
        raise ConflictError("The build has ended already.")
    meters.ended(build.status)
    return build


async def delete(means: Means, caller: Caller, build_id: UUID) -> None:
    """Remove a build and what came of it; one under way is ended."""
    found = await seen(means, caller, build_id)
    demand(found.role)
    if found.build.status in UNFINISHED:
        ended = await repository.cancel(means.db, _cancelled(caller, found.build))
        if ended is not None:
            meters.ended(ended.status)
    await repository.delete(means.db, build_id)


async def retry(means: Means, caller: Caller, build_id: UUID) -> Build:
    """Build once more from the same tree."""
    before = await _finished(means, caller, build_id)
    build = await repository.again(means.db, _once_more(caller, before, retry_of=before.id))
    if build is None:
        demand((await seen(means, caller, build_id)).role)
        raise BuildNotRetryableError("The build succeeded: start a new one instead.")
    return build


async def verify(means: Means, caller: Caller, build_id: UUID) -> Build:
    """Build once more from the same input, to see whether the same comes of it."""
    before = await _finished(means, caller, build_id)
    build = await repository.verify(means.db, _once_more(caller, before, verify_of=before.id))
    if build is None:
        demand((await seen(means, caller, build_id)).role)
        raise BuildNotVerifiableError("The build did not succeed: there is nothing to compare.")
    return build


async def _finished(means: Means, caller: Caller, build_id: UUID) -> Build:
    """A build that has ended, for somebody who may build."""
    found = await seen(means, caller, build_id)
    demand(found.role)
    if found.build.status in UNFINISHED:
        raise BuildNotFinishedError("The build is still under way.")
    return found.build


def _once_more(
    caller: Caller,
    before: Build,
    *,
    retry_of: UUID | None = None,
    verify_of: UUID | None = None,
) -> BuildQueued:
    return BuildQueued(
        build_id=uuid7(),
        project_id=before.project_id,
        user_id=caller.user_id,
        target=before.target,
        source_tree=before.source_tree,
        retry_of=retry_of,
        verify_of=verify_of,
    )


async def end_barred(tx: Queries, project_id: UUID) -> None:
    """End what those wanted who may not build in the project any more."""
    for build in await repository.barred(tx, project_id):
        event = BuildCancelled(
            build_id=build.build_id,
            project_id=build.project_id,
            user_id=build.user_id,
            target=build.target,
            actor_id=NOBODY,
            reason="access_lost",
        )
        ended = await repository.cancel(tx, event, "ACCESS_LOST", _BARRED)
        if ended is not None:
            # if the transaction fails this is one too many, which a counter may have
            meters.ended(ended.status, "ACCESS_LOST")


def _cancelled(caller: Caller, build: Build) -> BuildCancelled:
    return BuildCancelled(
        build_id=build.id,
        project_id=build.project_id,
        user_id=build.user_id,
        target=build.target,
        actor_id=caller.user_id,
    )


def told(means: Means, caller: Caller, found: Seen) -> Build:
    """The build with the addresses that are for this caller."""
    build = found.build
    if build.status != "success":
        return build
    base = f"/api/v1/builds/{build.id}/artifacts"
    artifacts = [msgspec.structs.replace(a, url=f"{base}/{a.name}") for a in build.artifacts]
    key = "" if found.is_public else f"?key={_key(means, caller, build.id)}"
    url = f"{means.settings.play_origin}/play/{build.id}/{key}"
    return msgspec.structs.replace(build, artifacts=artifacts, play_url=url)


def _key(means: Means, caller: Caller, build_id: UUID) -> str:
    settings = means.settings
    return keys.make(settings.play_secret, build_id, caller.user_id, settings.play_key_lifetime_s)
