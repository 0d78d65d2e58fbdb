"""Files that go straight to the object store: in quarantine until they are known to be whole."""

from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import UUID

import structlog

from assets import names
from assets.errors import GoneError
from assets.means import Means
from assets.media import claims
from assets.objects.types import Grant
from assets.permissions import demand_writer
from assets.presigned import repository
from assets.presigned.repository import Pending
from assets.presigned.schema import NewUpload, Upload
from assets.types import BUCKET, Kind, quarantine_key
from assets.uploads import service as uploads
from assets.uploads.service import Candidate, Outcome
from assets.uploads.spool import Spool
from assets.uploads.types import NewAsset
from common.caller import Caller
from common.errors import (
    ConflictError,
    InvalidError,
    NotFoundError,
    PayloadTooLargeError,
    ServiceError,
    UnavailableError,
    UnsupportedMediaTypeError,
)
from common.ids import uuid7

log = structlog.get_logger()

_ABSENT = "There is no such upload."
# what a file can be that will never become an asset, however often it is looked at
_HOPELESS = (InvalidError, PayloadTooLargeError, UnsupportedMediaTypeError)


async def begin(means: Means, caller: Caller, new: NewUpload) -> Upload:
    """Return a URL that takes just this file, for a while."""
    settings = means.settings
    name = names.checked(new.name)
    if new.size > settings.asset_bytes_max:
        raise PayloadTooLargeError(
            "The file is too large.", {"field": "size", "limit": settings.asset_bytes_max}
        )
    claims.refuse_contradiction(name, new.content_type)
    await demand_writer(means.db, means.ask, caller, new.project_id)
    pending = Pending(
        id=uuid7(),
        project_id=new.project_id,
        user_id=caller.user_id,
        name=name,
        type=new.type,
        content_type=new.content_type,
        size=new.size,
        sha256=new.sha256,
        asset_id=None,
        expires_at=datetime.now(UTC) + timedelta(seconds=settings.upload_lifetime_s),
    )
    if not await repository.begin(means.db, pending):
        # the role was lost since it was asked for
        await demand_writer(means.db, means.ask, caller, new.project_id)
        raise UnavailableError
    signed = await means.storage.signed_put(
        BUCKET,
        quarantine_key(pending.id),
        lifetime_s=settings.upload_lifetime_s,
        content_type=new.content_type,
        size=new.size,
        sha256=new.sha256,
        marks=Grant(caller.user_id, new.project_id).marks,
    )
    return Upload(pending.id, "PUT", signed.url, signed.headers, pending.expires_at)


async def complete(means: Means, caller: Caller, upload_id: UUID) -> Outcome:
    """Look at what was sent; let it be seen, or be gone.

    Asked again, it answers again with the same asset.
    """
    pending = await _pending(means, caller, upload_id)
    await demand_writer(means.db, means.ask, caller, pending.project_id)
    if pending.asset_id is not None:
        return await _completed(means, pending.asset_id)
    if pending.expires_at < datetime.now(UTC):
        raise GoneError("This upload has expired.")
    spool = Spool(
        memory_bytes=means.settings.spool_bytes_max, size_max=means.settings.asset_bytes_max
    )
    try:
        candidate = await _fetched(means, pending, spool)
        new = await uploads.stored(means, caller, candidate)
    except _HOPELESS:
        await _give_up(means, upload_id)
        raise
    finally:
        spool.close()
    outcome = await _publish(means, caller, pending, new)
    await _clear(means, upload_id)
    return outcome


async def _fetched(means: Means, pending: Pending, spool: Spool) -> Candidate:
    """Bring the file here, so that what is verified is what is kept, and compare it."""
    try:
        found, pieces = await means.storage.stream(BUCKET, quarantine_key(pending.id))
    except NotFoundError as exc:
        raise ConflictError("Nothing was uploaded yet.") from exc
    if found.size > pending.size:
        raise PayloadTooLargeError(
            "More was sent than announced.", {"field": "size", "limit": pending.size}
        )
    async for piece in pieces:
        await spool.add(piece)
    sha256 = await spool.finish()
    if spool.size != pending.size:
        raise InvalidError.of("size", f"{spool.size} bytes were sent, not {pending.size}.")
    if pending.sha256 not in {None, sha256}:
        raise InvalidError.of("sha256", f"The SHA-256 of what was sent is {sha256}.")
    return Candidate(
        pending.project_id,
        pending.name,
        pending.content_type,
        cast("Kind | None", pending.type),
        sha256,
        spool,
    )


async def _publish(means: Means, caller: Caller, pending: Pending, new: NewAsset) -> Outcome:
    async with means.db.transaction() as tx:
        held = await repository.hold(tx, pending.id, caller.user_id)
        if held is None:
            raise NotFoundError(_ABSENT)
        if held.asset_id is not None:
            return await _completed(means, held.asset_id)
        outcome = await uploads.publish(tx, means, caller, new)
        await repository.finish(tx, pending.id, outcome.asset.id)
        return outcome


async def _completed(means: Means, asset_id: UUID) -> Outcome:
    asset = await repository.asset(means.db, asset_id)
    if asset is None:
        raise GoneError("This upload became an asset that is deleted.")
    return Outcome(asset, is_new=False)


async def abort(means: Means, caller: Caller, upload_id: UUID) -> None:
    """Let the upload never become an asset."""
    pending = await _pending(means, caller, upload_id)
    if pending.asset_id is not None:
        raise ConflictError("This upload is an asset already.", {"assetId": str(pending.asset_id)})
    await _give_up(means, upload_id)


async def _pending(means: Means, caller: Caller, upload_id: UUID) -> Pending:
    pending = await repository.pending(means.db, upload_id, caller.user_id)
    if pending is None or not caller.confined_to(pending.project_id):
        raise NotFoundError(_ABSENT)
    return pending


async def _give_up(means: Means, upload_id: UUID) -> None:
    await repository.abort(means.db, upload_id)
    await _clear(means, upload_id)


async def _clear(means: Means, upload_id: UUID) -> None:
    """Empty the quarantine; the sweep comes by later in any case."""
    try:
        await means.storage.delete(BUCKET, quarantine_key(upload_id))
    except ServiceError as exc:
        log.warning("quarantine_not_cleared", upload=str(upload_id), error=repr(exc))


async def sweep(means: Means) -> int:
    """Remove what is left of uploads whose URLs are dead; return how many there were.

    The object goes first: were the row gone before it, nothing would know of the object.
    """
    settings = means.settings
    before = datetime.now(UTC) - timedelta(seconds=settings.upload_grace_s)
    expired = await repository.expired(means.db, before, settings.sweep_uploads_max)
    for upload_id in expired:
        await means.storage.delete(BUCKET, quarantine_key(upload_id))
    if expired:
        await repository.forget(means.db, expired)
    return len(expired)
