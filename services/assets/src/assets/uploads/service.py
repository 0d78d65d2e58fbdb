"""How a file becomes an asset: whole and known for what it is, before anybody sees it."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from assets import names
from assets.blobs import service as blobs
from assets.errors import CollectedError
from assets.library import service as library
from assets.means import Means
from assets.media import claims
from assets.permissions import demand, demand_writer
from assets.studio import service as studio
from assets.types import Kind, Stored, object_key, shown
from assets.uploads import repository
from assets.uploads.form import FormFile
from assets.uploads.schema import Fault, Item
from assets.uploads.spool import Distant, Spool
from assets.uploads.types import NewAsset
from assets.versions import service as versions
from assets.versions.types import Fresh
from common.caller import Caller
from common.contracts.assets import AssetCreated
from common.database import Queries
from common.errors import (
    ConflictError,
    InvalidError,
    PayloadTooLargeError,
    ServiceError,
    UnavailableError,
)
from common.ids import uuid7

# how often what is collected in between is stored anew
_ATTEMPTS = 5


class Candidate(msgspec.Struct, frozen=True):
    """A file that came in whole, and what its sender says of it.

    With ``asset_id`` it is to be a new version of that asset, whose name and kind count; where
    ``if_match`` is given, only of the asset that its sender last saw.
    """

    project_id: UUID
    name: str
    content_type: str
    kind: Kind | None
    sha256: str
    spool: Spool | Distant
    asset_id: UUID | None = None
    if_match: str | None = None


class Outcome(msgspec.Struct, frozen=True):
    """The asset, and whether it is new: the same bytes under the same name are no second asset."""

    asset: Stored
    is_new: bool


async def upload(
    means: Means,
    caller: Caller,
    project_id: UUID,
    file: FormFile,
    *,
    name: str | None,
    kind: Kind | None,
) -> Outcome:
    """Take one file into the library."""
    await demand_writer(means.db, means.ask, caller, project_id)
    candidate = Candidate(
        project_id, name or file.name, file.content_type, kind, file.sha256, file.spool
    )
    return await take(means, caller, candidate)


async def upload_batch(
    means: Means, caller: Caller, project_id: UUID, files: Sequence[FormFile]
) -> list[Item]:
    """Take each file that can be taken, and say of each what became of it.

    Raises ``UnavailableError`` where none could be, because something does not answer.
    """
    await demand_writer(means.db, means.ask, caller, project_id)
    slots = asyncio.Semaphore(means.settings.batch_at_once_max)

    async def one(index: int, file: FormFile) -> Item:
        candidate = Candidate(
            project_id, file.name, file.content_type, None, file.sha256, file.spool
        )
        async with slots:
            try:
                outcome = await take(means, caller, candidate)
            except ServiceError as exc:
                fault = Fault(exc.code, str(exc), exc.details)
                return Item(index, file.name, exc.status, error=fault)
        asset = shown(outcome.asset, means.settings)
        return Item(index, file.name, 201 if outcome.is_new else 200, asset=asset)

    items = await asyncio.gather(*[one(index, file) for index, file in enumerate(files)])
    if all(item.status == UnavailableError.status for item in items):
        raise UnavailableError
    return items


async def upload_version(
    means: Means, caller: Caller, asset_id: UUID, file: FormFile, if_match: str | None
) -> Outcome:
    """Let an asset have other bytes from now on; what it has already is no new version."""
    asset = await library.found(means.db, caller, asset_id)
    demand(asset.role)
    if asset.sha256 == file.sha256:
        return Outcome(asset, is_new=False)
    library.hold(asset, if_match)
    candidate = Candidate(
        asset.project_id,
        asset.name,
        file.content_type,
        None,
        file.sha256,
        file.spool,
        asset_id=asset_id,
        if_match=if_match,
    )
    return await take(means, caller, candidate)


async def take(means: Means, caller: Caller, candidate: Candidate) -> Outcome:
    """Store a file, and let it be seen."""
    for _ in range(_ATTEMPTS):
        new = await stored(means, caller, candidate)
        try:
            return await publish(means.db, means, caller, new)
        except CollectedError:
            continue
    raise UnavailableError


async def stored(means: Means, caller: Caller, candidate: Candidate) -> NewAsset:
    """Look at the file and store its bytes under their hash; nobody sees them yet."""
    new = await _examined(means, caller, candidate)
    generation = await blobs.claim(means, new.project_id, new.sha256, new.size)
    await candidate.spool.keep(
        means.storage,
        object_key(new.project_id, new.sha256),
        content_type=new.mime_type,
        sha256=new.sha256,
    )
    return msgspec.structs.replace(new, generation=generation)


async def _examined(means: Means, caller: Caller, candidate: Candidate) -> NewAsset:
    name, kind = names.checked(candidate.name), candidate.kind
    spool = candidate.spool
    if spool.size == 0:
        raise InvalidError.of("file", "The file is empty.")
    if candidate.asset_id is not None:
        name, kind = await versions.named(means, caller, candidate.asset_id, candidate.project_id)
    settled = claims.settle(spool.head, name, candidate.content_type, kind)
    return NewAsset(
        id=candidate.asset_id or uuid7(),
        project_id=candidate.project_id,
        user_id=caller.user_id,
        name=name,
        name_key=names.key(name),
        type=settled.kind,
        size=spool.size,
        mime_type=settled.mime_type,
        sha256=candidate.sha256,
        metadata=await _facts(means, spool, settled.mime_type),
        is_version=candidate.asset_id is not None,
        if_match=candidate.if_match,
    )


async def _facts(means: Means, spool: Spool | Distant, mime_type: str) -> dict[str, Any]:
    if isinstance(spool, Spool):
        return (await studio.examined(means, spool.file, spool.head, mime_type)).metadata
    # what is so large is not looked into; a picture would be decoded one day
    if mime_type.startswith("image/"):
        raise PayloadTooLargeError(
            "The picture is too large.",
            {"field": "file", "limit": means.settings.asset_bytes_max},
        )
    return {}


async def refuse_taken(db: Queries, project_id: UUID, name: str, sha256: str | None) -> None:
    """Raise ``ConflictError`` where a file of that name and hash could not become an asset."""
    other = await repository.named(db, project_id, names.key(name))
    if other is not None and (other.sha256, other.name) != (sha256, name):
        raise _taken(other)


def _taken(other: Stored) -> ConflictError:
    return ConflictError(
        "Another asset has this name.", {"field": "name", "assetId": str(other.id)}
    )


async def publish(db: Queries, means: Means, caller: Caller, new: NewAsset) -> Outcome:
    """Let an asset be seen whose bytes are stored, or a version of one.

    Raises ``ConflictError`` for a taken name, ``PreconditionFailedError`` for an asset that its
    sender has not seen, and ``CollectedError``.
    """
    if new.is_version:
        fresh = Fresh(new.sha256, new.size, new.mime_type, new.metadata, generation=new.generation)
        return Outcome(*await versions.append(db, caller, new.id, fresh, new.if_match))
    event = AssetCreated(
        asset_id=new.id,
        project_id=new.project_id,
        actor_id=caller.user_id,
        name=new.name,
        type=new.type,
        mime_type=new.mime_type,
        size=new.size,
        sha256=new.sha256,
    )
    asset = await repository.add(db, new, event)
    if asset is not None:
        return Outcome(asset, is_new=True)
    # the role may have been lost since it was asked for
    await demand_writer(db, means.ask, caller, new.project_id)
    other = await repository.named(db, new.project_id, new.name_key)
    if other is None:
        # nothing has the name: the bytes are gone, or what had it a moment ago
        raise CollectedError
    if (other.sha256, other.name) != (new.sha256, new.name):
        raise _taken(other)
    return Outcome(other, is_new=False)
