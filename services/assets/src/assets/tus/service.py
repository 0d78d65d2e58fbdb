"""Uploads that come by and by: begun, gone on with after any interruption, and verified at last."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog

from assets import names
from assets.errors import GoneError, LockedError, OffsetMismatchError
from assets.means import Means
from assets.media import claims
from assets.permissions import demand_writer
from assets.quarantine import service as quarantine
from assets.quarantine.types import Announced
from assets.tus import repository
from assets.tus.receiving import Receiver
from assets.tus.types import Checksum, Resumable, Said
from assets.uploads import service as uploads
from common.caller import Caller
from common.errors import (
    ConflictError,
    InvalidError,
    NotFoundError,
    PayloadTooLargeError,
    UnavailableError,
)
from common.ids import uuid7

log = structlog.get_logger()


async def begin(means: Means, caller: Caller, size: int, said: Said) -> Resumable:
    """Begin an upload of so many bytes.

    A name that is taken is refused now: who is told so at the end would send everything again.
    """
    settings = means.settings
    if size == 0:
        raise InvalidError.of("Upload-Length", "The file is empty.")
    if size > settings.large_bytes_max:
        raise PayloadTooLargeError(
            "The file is too large.",
            {"field": "Upload-Length", "limit": settings.large_bytes_max},
        )
    name = names.checked(said.name, "filename")
    claims.refuse_contradiction(name, said.content_type)
    await demand_writer(means.db, means.ask, caller, said.project_id)
    await uploads.refuse_taken(means.db, said.project_id, name, said.sha256)
    upload_id = uuid7()
    made = await quarantine.begun(means, upload_id)
    new = repository.New(
        id=upload_id,
        project_id=said.project_id,
        user_id=caller.user_id,
        name=name,
        content_type=said.content_type,
        size=size,
        sha256=said.sha256,
        multipart_id=made.id,
        expires_at=datetime.now(UTC) + timedelta(seconds=settings.large_lifetime_s),
    )
    async with quarantine.unless_begun(means, upload_id, made.id):
        async with means.db.transaction() as tx:
            await quarantine.demand_room(tx, means, said.project_id, size)
            is_begun = await repository.begin(tx, new)
        if not is_begun:
            # the role was lost since it was asked for
            await demand_writer(means.db, means.ask, caller, said.project_id)
            raise UnavailableError
    return await _find(means, caller, upload_id)


async def show(means: Means, caller: Caller, upload_id: UUID) -> Resumable:
    """Say how far an upload is. What has come whole and is no asset yet becomes one now."""
    upload = await _find(means, caller, upload_id)
    await demand_writer(means.db, means.ask, caller, upload.project_id)
    if upload.asset_id is not None or upload.received < upload.size:
        return upload
    async with _leased(means, caller, upload) as (taken, _):
        return await _finish(means, caller, taken)


async def send(
    means: Means,
    caller: Caller,
    upload_id: UUID,
    offset: int,
    body: AsyncGenerator[bytes],
    *,
    length: int | None,
    checksum: Checksum | None,
) -> Resumable:
    """Go on with an upload at ``offset``; with its last byte it becomes an asset, or is refused.

    ``body`` raises ``InvalidError`` where it breaks off: what came until then is kept, unless a
    checksum should vouch for it.
    """
    upload = await _find(means, caller, upload_id)
    await demand_writer(means.db, means.ask, caller, upload.project_id)
    if offset != upload.received:
        raise _elsewhere(upload)
    room = upload.size - offset
    if (length or 0) > room:
        raise _too_long(upload)
    if upload.asset_id is not None:
        return upload
    async with _leased(means, caller, upload) as (taken, lease), aclosing(body):
        await _receive(means, taken, lease, _at_most(body, room, upload), checksum)
        upload = await _find(means, caller, upload_id)
        if upload.received < upload.size:
            return upload
        return await _finish(means, caller, upload)


async def _receive(
    means: Means,
    upload: Resumable,
    lease: UUID,
    body: AsyncIterator[bytes],
    checksum: Checksum | None,
) -> None:
    receiver = Receiver(means, upload, lease, checksum)
    try:
        await receiver.open()
        try:
            async for piece in body:
                await receiver.add(piece)
        except InvalidError:
            if checksum is None:
                await receiver.keep()
            raise
        await receiver.keep()
    finally:
        receiver.close()


async def _at_most(
    body: AsyncIterator[bytes], room: int, upload: Resumable
) -> AsyncGenerator[bytes]:
    async for piece in body:
        room -= len(piece)
        if room < 0:
            raise _too_long(upload)
        yield piece


async def _finish(means: Means, caller: Caller, upload: Resumable) -> Resumable:
    """Look at what has come whole; let it be seen, or be gone."""
    # what cannot become an asset now is not read for that
    await uploads.refuse_taken(means.db, upload.project_id, upload.name, upload.sha256)
    made = quarantine.of(means, upload.id, upload.multipart_id)
    with suppress(NotFoundError):  # it is one object already
        await made.complete(upload.parts)
    announced = Announced(
        upload.id,
        upload.project_id,
        upload.name,
        upload.content_type,
        None,
        upload.size,
        upload.sha256,
    )
    try:
        new = await quarantine.admitted(means, caller, announced)
    except NotFoundError as exc:
        # it is not there yet, or was ended meanwhile, of which the next request is told
        raise UnavailableError from exc
    except quarantine.HOPELESS:
        await _end(means, upload)
        raise
    async with means.db.transaction() as tx:
        if not await repository.hold(tx, upload.id):
            raise GoneError("This upload was ended.")
        outcome = await uploads.publish(tx, means, caller, new)
        await repository.finish(tx, upload.id, outcome.asset.id)
    await quarantine.try_to_empty(means, upload.id, upload.multipart_id)
    return await _find(means, caller, upload.id)


async def terminate(means: Means, caller: Caller, upload_id: UUID) -> None:
    """Let an upload never become an asset."""
    upload = await _find(means, caller, upload_id)
    if not await _end(means, upload):
        raise ConflictError("This upload is an asset already.", {"assetId": str(upload.asset_id)})


async def _end(means: Means, upload: Resumable) -> bool:
    is_ended = await repository.end(means.db, upload.id)
    if is_ended:
        await quarantine.try_to_empty(means, upload.id, upload.multipart_id)
    return is_ended


async def sweep(means: Means) -> int:
    """Remove what is left of uploads that are over; return how many there were."""
    settings = means.settings
    before = datetime.now(UTC) - timedelta(seconds=settings.upload_grace_s)
    expired = await repository.expired(means.db, before, settings.sweep_uploads_max)
    for upload in expired:
        await quarantine.empty(means, upload.id, upload.multipart_id)
    if expired:
        await repository.forget(means.db, [upload.id for upload in expired])
    return len(expired)


async def _find(means: Means, caller: Caller, upload_id: UUID) -> Resumable:
    """Return the caller's own upload; raises ``NotFoundError`` and ``GoneError``."""
    upload = await repository.find(means.db, upload_id, caller.user_id)
    if upload is None or not caller.confined_to(upload.project_id):
        raise NotFoundError("There is no such upload.")
    if upload.is_ended:
        raise GoneError("This upload was ended, or refused.")
    if upload.asset_id is None and upload.expires_at < datetime.now(UTC):
        raise GoneError("This upload has expired.")
    return upload


@asynccontextmanager
async def _leased(
    means: Means, caller: Caller, upload: Resumable
) -> AsyncGenerator[tuple[Resumable, UUID]]:
    """Let nobody else go on with the upload meanwhile.

    Raises ``LockedError`` where somebody is at it, ``OffsetMismatchError`` where somebody was.
    """
    lease, lease_s = uuid7(), means.settings.lease_s
    taken = await repository.take(means.db, upload.id, upload.received, lease, lease_s)
    if taken is None:
        now = await _find(means, caller, upload.id)
        if now.received != upload.received:
            raise _elsewhere(now)
        raise LockedError("Another request is sending this upload.", headers={"retry-after": "1"})
    renewing = asyncio.create_task(_renew(means, upload.id, lease))
    try:
        yield taken, lease
    finally:
        renewing.cancel()
        await asyncio.gather(renewing, return_exceptions=True)
        await _release(means, upload.id, lease)


async def _renew(means: Means, upload_id: UUID, lease: UUID) -> None:
    lease_s = means.settings.lease_s
    while True:
        await asyncio.sleep(lease_s / 3)
        try:
            if not await repository.renew(means.db, upload_id, lease, lease_s):
                return
        except Exception as exc:  # noqa: BLE001 - whatever it is, it is tried again in time
            log.warning("lease_not_renewed", upload=str(upload_id), error=repr(exc))


async def _release(means: Means, upload_id: UUID, lease: UUID) -> None:
    try:
        await repository.release(means.db, upload_id, lease)
    except Exception as exc:  # noqa: BLE001 - it runs out by itself
        log.warning("lease_not_released", upload=str(upload_id), error=repr(exc))


def _elsewhere(upload: Resumable) -> OffsetMismatchError:
    return OffsetMismatchError(
        "The upload goes on at another offset.",
        {"field": "Upload-Offset", "offset": upload.received},
        headers={"upload-offset": str(upload.received)},
    )


def _too_long(upload: Resumable) -> PayloadTooLargeError:
    return PayloadTooLargeError(
        "More is sent than was announced.", {"field": "Upload-Length", "limit": upload.size}
    )
