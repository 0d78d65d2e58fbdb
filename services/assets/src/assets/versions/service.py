"""The versions of an asset: its id stays, its bytes change, and what was is not lost."""

from uuid import UUID

import msgspec

from assets.errors import CollectedError
from assets.library import service as library
from assets.library.types import Seen
from assets.means import Means
from assets.media import formats
from assets.permissions import demand
from assets.settings import Settings
from assets.types import Kind, Stored, url_of
from assets.versions import repository
from assets.versions.schema import Version
from assets.versions.types import Fresh, Past
from common.answers import Window
from common.caller import Caller
from common.contracts.assets import AssetVersionAdded
from common.database import Queries
from common.errors import ConflictError, NotFoundError, UnsupportedMediaTypeError

_ABSENT = "There is no such version."
_ATTEMPTS = 8


async def index(
    means: Means, caller: Caller, asset_id: UUID, wanted: Window
) -> tuple[int, list[Version]]:
    """Return how many versions an asset has, and one page of them, the newest first."""
    asset = await library.found(means.db, caller, asset_id)
    found = await repository.listed(means.db, asset_id, wanted)
    total = found[0].total if found else asset.version
    return total, [_shown(asset, row, means.settings) for row in found]


def _shown(asset: Stored, past: Past, settings: Settings) -> Version:
    as_it_was = msgspec.structs.replace(asset, sha256=past.sha256)
    return Version(
        version=past.version,
        user_id=past.user_id,
        sha256=past.sha256,
        size=past.size,
        mime_type=past.mime_type,
        metadata=past.metadata,
        origin=past.origin,
        url=url_of(as_it_was, settings, past.version),
        created_at=past.created_at,
    )


async def writable(means: Means, caller: Caller, asset_id: UUID) -> Seen:
    """Return the asset, for whoever may give it a new version."""
    asset = await library.found(means.db, caller, asset_id)
    demand(asset.role)
    return asset


async def named(means: Means, caller: Caller, asset_id: UUID, project_id: UUID) -> tuple[str, Kind]:
    """Return what an asset is called and is, for whoever may give it a new version."""
    asset = await writable(means, caller, asset_id)
    if asset.project_id != project_id:
        raise NotFoundError("There is no such asset.")
    kind: Kind = msgspec.convert(asset.type, Kind)
    return asset.name, kind


async def append(
    db: Queries, caller: Caller, asset_id: UUID, fresh: Fresh, if_match: str | None
) -> tuple[Stored, bool]:
    """Let an asset have stored bytes from now on; return it, and whether it had others before.

    Raises ``PreconditionFailedError``, ``UnsupportedMediaTypeError`` and ``CollectedError``.
    """
    seen = 0
    for _ in range(_ATTEMPTS):
        asset = await library.found(db, caller, asset_id)
        demand(asset.role)
        if asset.revision == seen:
            # it was not the asset that had changed
            raise CollectedError
        if asset.sha256 == fresh.sha256 and fresh.origin == "upload":
            return asset, False
        library.hold(asset, if_match)
        _agree(asset, fresh)
        changed = await repository.append(
            db, asset, caller.user_id, fresh, _event(caller, asset, fresh)
        )
        if changed is not None:
            return changed, True
        seen = asset.revision
    raise ConflictError("Too many change this asset at once; try again.")


def _agree(asset: Seen, fresh: Fresh) -> None:
    """Whoever uses a picture does not find a sound one day."""
    own = formats.kind_of(fresh.mime_type)
    if asset.type not in {own, "data"}:
        raise UnsupportedMediaTypeError(
            "The bytes are not what the asset is.",
            {"field": "file", "declared": asset.type, "found": fresh.mime_type},
        )


def _event(caller: Caller, asset: Stored, fresh: Fresh) -> AssetVersionAdded:
    return AssetVersionAdded(
        asset_id=asset.id,
        project_id=asset.project_id,
        actor_id=caller.user_id,
        name=asset.name,
        version=asset.version + 1,
        mime_type=fresh.mime_type,
        size=fresh.size,
        sha256=fresh.sha256,
        origin=fresh.origin,
    )


async def rollback(
    means: Means, caller: Caller, asset_id: UUID, version: int, if_match: str | None
) -> Stored:
    """Let an asset have the bytes of an earlier version again, as a new one.

    The version that it has changes nothing and announces nothing.
    """
    asset = await library.found(means.db, caller, asset_id)
    demand(asset.role)
    past = await repository.one(means.db, asset_id, version)
    if past is None:
        raise NotFoundError(_ABSENT)
    if version == asset.version:
        return asset
    fresh = Fresh(past.sha256, past.size, past.mime_type, past.metadata, "rollback")
    changed, _ = await append(means.db, caller, asset_id, fresh, if_match)
    return changed
