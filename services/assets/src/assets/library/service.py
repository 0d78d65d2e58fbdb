"""What may be done with the assets of a project."""

import asyncio
from uuid import UUID

from msgspec import UNSET

from assets import names
from assets.delivery import service as delivery
from assets.library import repository
from assets.library.schema import Changes, Smaller, Supplies, Supply
from assets.library.types import Seen
from assets.means import Means
from assets.media import formats
from assets.objects.types import Grant
from assets.permissions import confine, demand, demand_reader, demand_writer
from assets.references import service as references
from assets.types import BUCKET, Asset, Kind, Stored, object_key, shown
from common.answers import Window
from common.caller import Caller
from common.contracts.assets import AssetDeleted, AssetRestored, AssetUpdated
from common.database import Queries
from common.errors import InvalidError, NotFoundError, PreconditionFailedError

SORTS = repository.SORTS
_ABSENT = "There is no such asset."
_SIGNED_AT_ONCE = 16


async def index(
    means: Means, caller: Caller, project_id: UUID, kind: Kind | None, query: str, wanted: Window
) -> tuple[int, list[Asset]]:
    """Return how many assets there are, and one page of them."""
    confine(caller, project_id)
    rows = await repository.listed(
        means.db, project_id, caller.user_id, kind, names.key(query), wanted
    )
    if not rows:
        await demand_reader(means.db, means.ask, caller, project_id)
        if wanted.page > 1:
            first = Window(1, 1, wanted.sort)
            rows = await repository.listed(
                means.db, project_id, caller.user_id, kind, names.key(query), first
            )
            return (rows[0].total if rows else 0), []
    total = rows[0].total if rows else 0
    return total, [shown(row, means.settings) for row in rows]


async def show(means: Means, caller: Caller, asset_id: UUID, version: int | None = None) -> Stored:
    """Return the asset, as it is or as it was."""
    if version is None:
        return await found(means.db, caller, asset_id)
    seen = await repository.seen_as(means.db, asset_id, caller.user_id, version)
    return _found(caller, seen)


async def found(db: Queries, caller: Caller, asset_id: UUID) -> Seen:
    """Return an asset that is there, for whoever may see it, and their role."""
    # an asset exists only in a project whose access is known here: there is nobody to ask
    return _found(caller, await repository.seen(db, asset_id, caller.user_id))


def _found(caller: Caller, seen: Seen | None) -> Seen:
    if seen is None:
        raise NotFoundError(_ABSENT)
    confine(caller, seen.project_id)
    return seen


async def download(means: Means, caller: Caller, asset_id: UUID, version: int | None = None) -> str:
    """Return a URL that saves the asset under its name: for everybody, or for a while."""
    asset = await show(means, caller, asset_id, version)
    grant = None if asset.is_public else Grant(caller.user_id, asset.project_id)
    return delivery.address(means.settings, asset.sha256, asset.name, grant=grant, is_saved=True)


async def change(
    means: Means, caller: Caller, asset_id: UUID, changes: Changes, if_match: str | None
) -> Stored:
    """Give the asset another name or kind; what changes nothing announces nothing."""
    asset = await found(means.db, caller, asset_id)
    demand(asset.role)
    name = asset.name if changes.name is UNSET else names.checked(changes.name)
    kind = asset.type if changes.type is UNSET else _kind(asset, changes.type)
    if (name, kind) == (asset.name, asset.type):
        return asset
    hold(asset, if_match)
    event = AssetUpdated(
        asset_id=asset.id,
        project_id=asset.project_id,
        actor_id=caller.user_id,
        name=name,
        type=kind,
    )
    changed = await repository.update(
        means.db,
        asset,
        caller.user_id,
        name=name,
        name_key=names.key(name),
        kind=kind,
        event=event,
    )
    return changed or await _overtaken(means, caller, asset_id)


def _kind(asset: Stored, wanted: Kind) -> Kind:
    """Anything may be filed as data; a picture is not made a sound by saying so."""
    own = formats.kind_of(asset.mime_type)
    if wanted not in {own, "data"}:
        raise InvalidError.of("type", f"This asset is of type {own} or data.")
    return wanted


async def remove(
    means: Means, caller: Caller, asset_id: UUID, if_match: str | None, *, force: bool = False
) -> None:
    """Take the asset out of the library; it may come back until nothing needs its bytes.

    Raises ``AssetInUseError`` where files of the project name it, unless ``force``.
    """
    asset = await found(means.db, caller, asset_id)
    demand(asset.role)
    hold(asset, if_match)
    if not force:
        await references.demand_unused(means, asset)
    event = AssetDeleted(
        asset_id=asset.id,
        project_id=asset.project_id,
        actor_id=caller.user_id,
        name=asset.name,
        sha256=asset.sha256,
    )
    if not await repository.delete(means.db, asset, caller.user_id, event):
        await _overtaken(means, caller, asset_id)


async def restore(means: Means, caller: Caller, asset_id: UUID) -> Stored:
    """Take a deleted asset back into the library, as it was; one that is there stays.

    Raises ``ConflictError`` where another has its name by now.
    """
    seen = await repository.seen_deleted(means.db, asset_id, caller.user_id)
    if seen is None:
        seen = await found(means.db, caller, asset_id)
        demand(seen.role)
        return seen
    asset = _found(caller, seen)
    demand(asset.role)
    event = AssetRestored(
        asset_id=asset.id,
        project_id=asset.project_id,
        actor_id=caller.user_id,
        name=asset.name,
        sha256=asset.sha256,
        version=asset.version,
    )
    back = await repository.restore(means.db, asset, caller.user_id, event)
    # somebody else did so in this moment, or it was collected
    return back or await found(means.db, caller, asset_id)


async def negotiate(means: Means, caller: Caller, project_id: UUID, hashes: list[str]) -> list[str]:
    """Return those of the hashes whose bytes the project's own library lacks, in their order."""
    await demand_writer(means.db, means.ask, caller, project_id)
    known = await repository.known(means.db, project_id, hashes)
    return [sha256 for sha256 in dict.fromkeys(hashes) if sha256 not in known]


def hold(asset: Stored, if_match: str | None) -> None:
    """Raise ``PreconditionFailedError`` unless the asset is what the caller last saw."""
    if if_match is None or if_match.strip() == "*":
        return
    if not asset.is_held_by(if_match):
        raise _changed(asset)


async def _overtaken(means: Means, caller: Caller, asset_id: UUID) -> Stored:
    """Say what came in between: the asset is gone, the role is, or somebody changed it."""
    seen = await found(means.db, caller, asset_id)
    demand(seen.role)
    raise _changed(seen)


def _changed(asset: Stored) -> PreconditionFailedError:
    return PreconditionFailedError(
        "The asset was changed meanwhile.", {"etag": asset.etag}, headers={"etag": asset.etag}
    )


async def supplies(means: Means, project_id: UUID) -> Supplies:
    """Return every asset of a project with a URL that the fleet can fetch it from."""
    ready: list[Supply] = []
    for asset, made in await repository.all_of(means.db, project_id):
        url = await _fleet_url(means, project_id, asset.sha256)
        variants = [
            Smaller(
                one.options,
                one.sha256,
                one.size,
                one.mime_type,
                await _fleet_url(means, project_id, one.sha256),
            )
            for one in made
            if one.size < asset.size and one.mime_type == asset.mime_type
        ]
        ready.append(
            Supply(asset.id, asset.name, asset.sha256, asset.size, asset.mime_type, url, variants)
        )
        # signing waits for nothing: others get their turn in between
        if len(ready) % _SIGNED_AT_ONCE == 0:
            await asyncio.sleep(0)
    return Supplies(ready)


async def _fleet_url(means: Means, project_id: UUID, sha256: str) -> str:
    key = object_key(project_id, sha256)
    lifetime_s = means.settings.internal_lifetime_s
    return await means.storage.signed_get(BUCKET, key, lifetime_s=lifetime_s)
