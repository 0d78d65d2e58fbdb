"""What may be done with the assets of a project."""

import asyncio
from uuid import UUID

from msgspec import UNSET

from assets import names
from assets.delivery import service as delivery
from assets.library import repository
from assets.library.repository import Seen
from assets.library.schema import Changes, Supplies, Supply
from assets.means import Means
from assets.media import formats
from assets.objects.types import Grant
from assets.permissions import confine, demand, demand_reader
from assets.types import BUCKET, Asset, Kind, Stored, object_key, shown
from common.answers import Window
from common.caller import Caller
from common.contracts.assets import AssetDeleted, AssetUpdated
from common.errors import InvalidError, NotFoundError, PreconditionFailedError

SORTS = repository.SORTS
_ABSENT = "There is no such asset."
_SIGNED_AT_ONCE = 16


async def index(
    means: Means, caller: Caller, project_id: UUID, kind: Kind | None, query: str, wanted: Window
) -> tuple[int, list[Asset]]:
    """Return how many assets there are, and one page of them."""
    confine(caller, project_id)
    found = await repository.listed(
        means.db, project_id, caller.user_id, kind, names.key(query), wanted
    )
    if not found:
        await demand_reader(means.db, means.ask, caller, project_id)
        if wanted.page > 1:
            first = Window(1, 1, wanted.sort)
            found = await repository.listed(
                means.db, project_id, caller.user_id, kind, names.key(query), first
            )
            return (found[0].total if found else 0), []
    total = found[0].total if found else 0
    return total, [shown(row, means.settings) for row in found]


async def show(means: Means, caller: Caller, asset_id: UUID) -> Stored:
    """Return the asset."""
    return await _seen(means, caller, asset_id)


async def _seen(means: Means, caller: Caller, asset_id: UUID) -> Seen:
    # an asset exists only in a project whose access is known here: there is nobody to ask
    seen = await repository.seen(means.db, asset_id, caller.user_id)
    if seen is None:
        raise NotFoundError(_ABSENT)
    confine(caller, seen.project_id)
    return seen


async def download(means: Means, caller: Caller, asset_id: UUID) -> str:
    """Return a URL that saves the asset under its name: for everybody, or for a while."""
    asset = await show(means, caller, asset_id)
    grant = None if asset.is_public else Grant(caller.user_id, asset.project_id)
    return delivery.address(means.settings, asset.sha256, asset.name, grant=grant, is_saved=True)


async def change(
    means: Means, caller: Caller, asset_id: UUID, changes: Changes, if_match: str | None
) -> Stored:
    """Give the asset another name or kind; what changes nothing announces nothing."""
    asset = await _seen(means, caller, asset_id)
    demand(asset.role)
    name = asset.name if changes.name is UNSET else names.checked(changes.name)
    kind = asset.type if changes.type is UNSET else _kind(asset, changes.type)
    if (name, kind) == (asset.name, asset.type):
        return asset
    _hold(asset, if_match)
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


async def remove(means: Means, caller: Caller, asset_id: UUID, if_match: str | None) -> None:
    """Take the asset out of the library; its bytes stay until nothing needs them."""
    asset = await _seen(means, caller, asset_id)
    demand(asset.role)
    _hold(asset, if_match)
    event = AssetDeleted(
        asset_id=asset.id,
        project_id=asset.project_id,
        actor_id=caller.user_id,
        name=asset.name,
        sha256=asset.sha256,
    )
    if not await repository.delete(means.db, asset, caller.user_id, event):
        await _overtaken(means, caller, asset_id)


def _hold(asset: Stored, if_match: str | None) -> None:
    """Raise ``PreconditionFailedError`` unless the asset is what the caller last saw."""
    if if_match is None or if_match.strip() == "*":
        return
    if asset.etag not in [tag.strip() for tag in if_match.split(",")]:
        raise _changed(asset)


async def _overtaken(means: Means, caller: Caller, asset_id: UUID) -> Stored:
    """Say what came in between: the asset is gone, the role is, or somebody changed it."""
    seen = await _seen(means, caller, asset_id)
    demand(seen.role)
    raise _changed(seen)


def _changed(asset: Stored) -> PreconditionFailedError:
    return PreconditionFailedError(
        "The asset was changed meanwhile.", {"etag": asset.etag}, headers={"etag": asset.etag}
    )


async def supplies(means: Means, project_id: UUID) -> Supplies:
    """Return every asset of a project with a URL that the fleet can fetch it from."""
    found: list[Supply] = []
    for asset in await repository.all_of(means.db, project_id):
        url = await means.storage.signed_get(
            BUCKET,
            object_key(asset.project_id, asset.sha256),
            lifetime_s=means.settings.internal_lifetime_s,
        )
        found.append(Supply(asset.id, asset.name, asset.sha256, asset.size, asset.mime_type, url))
        # signing waits for nothing: others get their turn in between
        if len(found) % _SIGNED_AT_ONCE == 0:
            await asyncio.sleep(0)
    return Supplies(found)
