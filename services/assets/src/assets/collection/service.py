"""What nothing needs any more is found, and deleted for good.

Needed is every version of an asset that is in a library, of one that was deleted a short while ago,
and of one that any text names which its project has or ever had: history can be restored. Of a
project that is gone for good nothing is needed.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter
from uuid import UUID

import structlog

from assets.blobs import service as blobs
from assets.collection import repository
from assets.collection.schema import DeadAsset, DeadBlob, Garbage, Kept
from assets.collection.types import Collected, Deleted
from assets.means import Means
from assets.permissions import confine
from assets.references import service as references
from common.access import role_on
from common.caller import Caller
from common.database import Queries
from common.errors import ForbiddenError, NotFoundError, UnavailableError

log = structlog.get_logger()

_NOBODY = UUID(int=0)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PROJECTS = 100
_LISTED = 1_000


async def collect(means: Means) -> Collected:
    """Delete what nothing needs: assets first, and then the bytes that were theirs alone.

    Raises ``UnavailableError`` where the object store does not answer; what is left then is left
    to the next turn. Without the projects service what only it knows about is kept.
    """
    await _look_for_purged(means)
    for project_id in await repository.purged(means.db):
        # who was about to publish something when it went has done so by now
        await repository.empty(means.db, project_id)
    assets = await _collect_assets(means)
    collected = Collected(assets, await blobs.sweep(means))
    await repository.close(means.db, means.settings.collect_after_s)
    return collected


async def purge(tx: Queries, project_id: UUID) -> None:
    """Let a project that is gone need nothing."""
    await repository.purge(tx, project_id)


async def _look_for_purged(means: Means) -> None:
    """Ask about projects that were deleted: one that is gone for good may have gone unheard."""
    age_s, after = means.settings.collect_after_s, _NOBODY
    while True:
        found = await repository.trashed(means.db, age_s, _PROJECTS, after)
        for project_id in found:
            try:
                is_gone = await means.projects.access(project_id) is None
            except UnavailableError:
                return
            if is_gone:
                async with means.db.transaction() as tx:
                    await repository.purge(tx, project_id)
        if len(found) < _PROJECTS:
            return
        after = found[-1]


async def _collect_assets(means: Means) -> int:
    settings, gone = means.settings, 0
    after, limit = (_EPOCH, _NOBODY), settings.collect_assets_max
    while True:
        found = await repository.forsaken(means.db, settings.collect_after_s, limit, after)
        for project_id, assets in _by_project(found):
            try:
                named = await references.named(means, project_id, assets)
            except (NotFoundError, UnavailableError) as exc:
                # of a project that is gone the event comes, or it is found in the trash
                log.warning("assets_not_collected", project=str(project_id), error=repr(exc))
                continue
            await repository.keep(means.db, sorted(named))
            dead = [asset.id for asset in assets if asset.id not in named]
            gone += await repository.forget(means.db, dead, settings.collect_after_s)
        if len(found) < limit:
            return gone
        after = (found[-1].deleted_at, found[-1].id)


def _by_project(found: Iterable[Deleted]) -> list[tuple[UUID, list[Deleted]]]:
    project = attrgetter("project_id")
    return [(key, list(some)) for key, some in groupby(sorted(found, key=project), key=project)]


async def garbage(means: Means, caller: Caller, project_id: UUID) -> Garbage:
    """Return what a turn would delete of a project now, and delete nothing.

    Raises ``ForbiddenError`` for who does not own the project, and ``UnavailableError``.
    """
    confine(caller, project_id)
    if await role_on(means.db, means.ask, project_id, caller.user_id) != "owner":
        raise ForbiddenError("Your role does not allow this.", {"needs": ["owner"]})
    settings = means.settings
    deleted = await repository.deleted_of(means.db, project_id, settings.collect_after_s)
    old = [asset for asset in deleted if asset.is_old and not asset.is_mentioned]
    named = await _named(means, project_id, old)
    dead = [asset for asset in old if asset.id not in named]
    loose = await blobs.garbage(means, project_id, [asset.id for asset in dead])
    due = [blob for blob in loose if blob.is_due]
    return Garbage(
        bytes=sum(blob.size for blob in due),
        count=len(due),
        blobs=[DeadBlob(blob.sha256, blob.size) for blob in due[:_LISTED]],
        assets=[DeadAsset(a.id, a.name, a.deleted_at) for a in dead[:_LISTED]],
        kept=Kept(
            in_library=await repository.count(means.db, project_id),
            recently_deleted=sum(not a.is_old and not a.is_mentioned for a in deleted),
            mentioned=sum(a.is_mentioned for a in deleted) + len(named),
            recently_stored=len(loose) - len(due),
        ),
        used=await blobs.used(means, project_id),
    )


async def _named(means: Means, project_id: UUID, assets: list[Deleted]) -> set[UUID]:
    if not assets:
        return set()
    try:
        return await references.named(
            means, project_id, assets, limit_s=means.settings.references_s_max
        )
    except NotFoundError as exc:
        raise UnavailableError from exc
