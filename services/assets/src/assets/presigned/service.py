"""Files that go straight to the object store: in quarantine until they are known to be whole."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import UUID

from assets import names
from assets.errors import GoneError
from assets.means import Means
from assets.media import claims
from assets.objects.types import Grant
from assets.permissions import demand_writer
from assets.presigned import parts, repository
from assets.presigned.repository import Pending
from assets.presigned.schema import NamedPart, NewUpload, PartedUpload, Upload
from assets.quarantine import service as quarantine
from assets.quarantine.types import Announced, Begun
from assets.types import BUCKET, Kind, quarantine_key
from assets.uploads import service as uploads
from assets.uploads.service import Outcome
from assets.uploads.types import NewAsset
from common.caller import Caller
from common.database import Queries
from common.errors import (
    ConflictError,
    InvalidError,
    NotFoundError,
    PayloadTooLargeError,
    UnavailableError,
)
from common.ids import uuid7

_ABSENT = "There is no such upload."


async def begin(means: Means, caller: Caller, new: NewUpload) -> Upload | PartedUpload:
    """Return one URL that takes just this file, or one for each of its parts, for a while."""
    settings = means.settings
    name = names.checked(new.name)
    if new.size > settings.large_bytes_max:
        raise PayloadTooLargeError(
            "The file is too large.", {"field": "size", "limit": settings.large_bytes_max}
        )
    claims.refuse_contradiction(name, new.content_type)
    await demand_writer(means.db, means.ask, caller, new.project_id)
    is_parted = new.parts or new.size > settings.asset_bytes_max
    lifetime_s = settings.large_lifetime_s if is_parted else settings.upload_lifetime_s
    upload_id = uuid7()
    made = await quarantine.begun(means, upload_id) if is_parted else None
    pending = Pending(
        id=upload_id,
        project_id=new.project_id,
        user_id=caller.user_id,
        name=name,
        type=new.type,
        content_type=new.content_type,
        size=new.size,
        sha256=new.sha256,
        multipart_id=made.id if made else None,
        part_size=parts.size_of_parts(new.size, settings.part_bytes_min) if made else None,
        asset_id=None,
        expires_at=datetime.now(UTC) + timedelta(seconds=lifetime_s),
    )
    async with quarantine.unless_begun(means, upload_id, pending.multipart_id):
        async with means.db.transaction() as tx:
            await quarantine.demand_room(tx, means, new.project_id, new.size)
            is_begun = await repository.begin(tx, pending)
        if not is_begun:
            # the role was lost since it was asked for
            await demand_writer(means.db, means.ask, caller, new.project_id)
            raise UnavailableError
    return await _shown(means, pending, lifetime_s)


async def resume(means: Means, caller: Caller, upload_id: UUID) -> Upload | PartedUpload:
    """Return fresh URLs, for what is not there yet."""
    pending = await _pending(means, caller, upload_id)
    await demand_writer(means.db, means.ask, caller, pending.project_id)
    if pending.asset_id is not None:
        raise _finished(pending.asset_id)
    _demand_time(pending)
    left = pending.expires_at - datetime.now(UTC)
    return await _shown(means, pending, max(int(left.total_seconds()), 1))


async def _shown(means: Means, pending: Pending, lifetime_s: int) -> Upload | PartedUpload:
    grant = Grant(pending.user_id, pending.project_id)
    begun = _begun(pending)
    if begun is not None:
        return await parts.shown(means, begun, lifetime_s, grant)
    signed = await means.storage.signed_put(
        BUCKET,
        quarantine_key(pending.id),
        lifetime_s=lifetime_s,
        content_type=pending.content_type,
        size=pending.size,
        sha256=pending.sha256,
        marks=grant.marks,
    )
    return Upload(pending.id, "PUT", signed.url, signed.headers, pending.expires_at)


def _begun(pending: Pending) -> Begun | None:
    if pending.multipart_id is None or pending.part_size is None:
        return None
    return Begun(
        pending.id, pending.multipart_id, pending.size, pending.part_size, pending.expires_at
    )


async def complete(
    means: Means, caller: Caller, upload_id: UUID, named: Sequence[NamedPart] | None
) -> Outcome:
    """Look at what was sent; let it be seen, or be gone.

    Asked again, it answers again with the same asset. ``named`` are the parts, for who knows them.
    """
    pending = await _pending(means, caller, upload_id)
    await demand_writer(means.db, means.ask, caller, pending.project_id)
    if pending.asset_id is not None:
        return await _completed(means.db, pending.asset_id)
    _demand_time(pending)
    said = None if named is None else tuple((part.number, part.etag) for part in named)

    is_mine = False

    async def verify() -> Outcome:
        nonlocal is_mine
        is_mine = True
        return await _verified(means, caller, pending, named)

    # many who ask at once have it read once, and one of them made the asset
    outcome: Outcome = await means.once.do(("complete", upload_id, said), verify)
    return outcome if is_mine else Outcome(outcome.asset, is_new=False)


async def _verified(
    means: Means, caller: Caller, pending: Pending, named: Sequence[NamedPart] | None
) -> Outcome:
    upload_id, begun = pending.id, _begun(pending)
    if begun is not None:
        await parts.joined(means, begun, named)
    elif named is not None:
        raise InvalidError.of("parts", "This upload has no parts.")
    try:
        new = await quarantine.admitted(means, caller, _announced(pending))
    except NotFoundError as exc:
        return await _completed_meanwhile(means, caller, upload_id, exc)
    except quarantine.HOPELESS:
        await _give_up(means, pending)
        raise
    outcome = await _publish(means, caller, pending, new)
    await quarantine.try_to_empty(means, upload_id, pending.multipart_id)
    return outcome


def _announced(pending: Pending) -> Announced:
    return Announced(
        pending.id,
        pending.project_id,
        pending.name,
        pending.content_type,
        cast("Kind | None", pending.type),
        pending.size,
        pending.sha256,
    )


def _demand_time(pending: Pending) -> None:
    if pending.expires_at < datetime.now(UTC):
        raise GoneError("This upload has expired.")


async def _completed_meanwhile(
    means: Means, caller: Caller, upload_id: UUID, exc: NotFoundError
) -> Outcome:
    """Nothing is in quarantine: not yet, or not any more."""
    pending = await _pending(means, caller, upload_id)
    if pending.asset_id is None:
        raise ConflictError("Nothing was uploaded yet.") from exc
    return await _completed(means.db, pending.asset_id)


async def _publish(means: Means, caller: Caller, pending: Pending, new: NewAsset) -> Outcome:
    async with means.db.transaction() as tx:
        held = await repository.hold(tx, pending.id, caller.user_id)
        if held is None:
            raise NotFoundError(_ABSENT)
        if held.asset_id is not None:
            return await _completed(tx, held.asset_id)
        outcome = await uploads.publish(tx, means, caller, new)
        await repository.finish(tx, pending.id, outcome.asset.id)
        return outcome


async def _completed(db: Queries, asset_id: UUID) -> Outcome:
    asset = await repository.asset(db, asset_id)
    if asset is None:
        raise GoneError("This upload became an asset that is deleted.")
    return Outcome(asset, is_new=False)


async def abort(means: Means, caller: Caller, upload_id: UUID) -> None:
    """Let the upload never become an asset."""
    pending = await _pending(means, caller, upload_id)
    if pending.asset_id is not None:
        raise _finished(pending.asset_id)
    await _give_up(means, pending)


def _finished(asset_id: UUID) -> ConflictError:
    return ConflictError("This upload is an asset already.", {"assetId": str(asset_id)})


async def _pending(means: Means, caller: Caller, upload_id: UUID) -> Pending:
    pending = await repository.pending(means.db, upload_id, caller.user_id)
    if pending is None or not caller.confined_to(pending.project_id):
        raise NotFoundError(_ABSENT)
    return pending


async def _give_up(means: Means, pending: Pending) -> None:
    await repository.abort(means.db, pending.id)
    await quarantine.try_to_empty(means, pending.id, pending.multipart_id)


async def sweep(means: Means) -> int:
    """Remove what is left of uploads whose URLs are dead; return how many there were.

    The object goes first: were the row gone before it, nothing would know of the object.
    """
    settings = means.settings
    before = datetime.now(UTC) - timedelta(seconds=settings.upload_grace_s)
    expired = await repository.expired(means.db, before, settings.sweep_uploads_max)
    for upload in expired:
        await quarantine.empty(means, upload.id, upload.multipart_id)
    if expired:
        await repository.forget(means.db, [upload.id for upload in expired])
    return len(expired)
