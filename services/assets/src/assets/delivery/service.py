"""Bytes by their hash: what has this address never changes, and whoever asks may have it or not."""

import re
from collections.abc import AsyncIterator
from urllib.parse import quote
from uuid import UUID

import msgspec

from assets.delivery import headers, negotiation, repository, signatures
from assets.delivery.stock import Stock
from assets.delivery.types import Asked, Coding, Delivery, Held, Supplied
from assets.errors import GoneError
from assets.means import Means
from assets.objects import service as objects
from assets.objects.types import Grant
from assets.settings import Settings
from assets.types import BUCKET, coded_key, object_key
from common import ranges
from common.errors import (
    ForbiddenError,
    NotFoundError,
    PreconditionFailedError,
    ServiceError,
    UnavailableError,
)

_HASH = re.compile(r"[0-9a-f]{64}")
_SAVED = re.compile(rb"(?:^|&)download(?:=1?)?(?:&|$)")
# a cache on the way would remember a refusal after its reason is gone; every site may read it
_REFUSED = {"cache-control": "no-store", "access-control-allow-origin": "*"}


class _Copy(msgspec.Struct, frozen=True):
    """Bytes to be sent: in memory, or in the store under a key."""

    size: int
    key: str
    data: bytes | None = None


async def deliver(means: Means, stock: Stock, asked: Asked) -> Delivery:
    """Return the bytes with that hash, if whoever asks may have them."""
    try:
        held, caching = await _held(means, asked)
        return await _delivery(means, stock, asked, held, caching)
    except ServiceError as exc:
        exc.headers |= _REFUSED
        raise


async def _held(means: Means, asked: Asked) -> tuple[Held, dict[str, str]]:
    """Return what is asked for, and how it may be cached."""
    if not _HASH.fullmatch(asked.sha256):
        raise _absent()
    if signatures.is_signed(asked.query):
        return await _granted(means, asked)
    held = _there(await repository.public(means.db, asked.sha256, asked.name))
    return held, headers.for_everybody(held, asked.sha256)


async def _granted(means: Means, asked: Asked) -> tuple[Held, dict[str, str]]:
    signed = signatures.granted(means.settings, asked.sha256, asked.query)
    if signed is None:
        raise ForbiddenError("This address is not good, or not any more.")
    grant, left_s = signed
    held = await repository.granted(means.db, asked.sha256, asked.name, grant)
    if held is None:
        await objects.demand_read(means.db, grant)
    return _there(held), headers.for_one(left_s)


def _there(held: Held | None) -> Held:
    if held is None:
        raise _absent()
    if held.is_deleted:
        raise GoneError("This file was deleted.")
    return held


def _absent() -> NotFoundError:
    return NotFoundError("There is no such file.")


async def _delivery(
    means: Means, stock: Stock, asked: Asked, held: Held, caching: dict[str, str]
) -> Delivery:
    settings = means.settings
    coding = negotiation.coding(asked, held, settings.encoded_bytes_min, settings.encoded_bytes_max)
    etag = negotiation.tag(asked.sha256, coding)
    told = headers.of(held, coding, etag) | caching
    if negotiation.shrinks(held.mime_type):
        told["vary"] = "Accept-Encoding"
    if _SAVED.search(asked.query):
        told |= headers.saved(asked.name)
    if asked.if_match and not negotiation.names(asked.if_match, etag, is_weak=False):
        raise PreconditionFailedError("These are other bytes.", {"etag": etag})
    if asked.if_none_match and negotiation.names(asked.if_none_match, etag, is_weak=True):
        return Delivery(304, told)
    copy = await _copy(means, stock, asked, held, coding)
    return await _part(means, asked, copy, told)


async def _part(means: Means, asked: Asked, copy: _Copy, told: dict[str, str]) -> Delivery:
    """Answer with all of the bytes, or the one part that is asked for.

    Several parts at once are answered with the whole, as RFC 9110 allows.
    """
    applies = not asked.is_head and asked.if_range in {None, told["etag"]}
    span = ranges.wanted(asked.byte_range if applies else None, copy.size)
    if span == "unsatisfiable":
        refused = {"content-range": f"bytes */{copy.size}", "accept-ranges": "bytes"}
        return Delivery(416, refused | _REFUSED, 0)
    if span == "whole":
        body = b"" if asked.is_head else await _body(means, copy, None)
        return Delivery(200, told, copy.size, body)
    first, last = span
    told |= {"content-range": f"bytes {first}-{last}/{copy.size}"}
    return Delivery(206, told, last - first + 1, await _body(means, copy, span))


async def _body(
    means: Means, copy: _Copy, span: ranges.Span | None
) -> bytes | AsyncIterator[bytes]:
    if copy.data is not None:
        return copy.data if span is None else copy.data[span[0] : span[1] + 1]
    wanted = None if span is None else f"bytes={span[0]}-{span[1]}"
    _, pieces = await means.storage.stream(BUCKET, copy.key, byte_range=wanted)
    return pieces


async def _copy(
    means: Means, stock: Stock, asked: Asked, held: Held, coding: Coding | None
) -> _Copy:
    """Find the bytes in memory, or bring them there if they are few, or say where they are."""
    key = object_key(held.project_id, asked.sha256)
    if coding is None:
        data = stock.shelf.find((asked.sha256, None))
        if data is None and not asked.is_head:
            data = await stock.shelf.filled(
                (asked.sha256, None), held.size, lambda: _whole(means, key)
            )
        return _Copy(held.size, key, data)
    coded = coded_key(key, coding)

    async def fetch() -> bytes:
        await _made(means, stock, asked, held, coding)
        return await _whole(means, coded)

    data = await stock.shelf.filled((asked.sha256, coding), held.size, fetch)
    if data is not None:
        return _Copy(len(data), coded, data)
    return _Copy(await _made(means, stock, asked, held, coding), coded)


async def _made(means: Means, stock: Stock, asked: Asked, held: Held, coding: Coding) -> int:
    """Return how large the compressed copy is; make it, if this is its first use."""
    coded = coded_key(object_key(held.project_id, asked.sha256), coding)
    try:
        return (await means.storage.head(BUCKET, coded)).size
    except NotFoundError:
        await stock.encoder.make(means, held, asked.sha256, coding)
    if not await repository.has(means.db, held.project_id, asked.sha256):
        # it was deleted for good in the meantime, and nothing would delete the copy any more
        await means.storage.delete(BUCKET, coded)
        raise _absent()
    return (await means.storage.head(BUCKET, coded)).size


async def _whole(means: Means, key: str) -> bytes:
    stored, pieces = await means.storage.stream(BUCKET, key)
    data = b"".join([piece async for piece in pieces])
    if len(data) != stored.size:
        raise UnavailableError
    return data


async def supply(means: Means, project_id: UUID, sha256: str) -> Supplied:
    """Return where the fleet finds bytes of a project, of whatever asset and version they are."""
    if not await repository.has(means.db, project_id, sha256):
        raise _absent()
    key, lifetime_s = object_key(project_id, sha256), means.settings.internal_lifetime_s
    return Supplied(await means.storage.signed_get(BUCKET, key, lifetime_s=lifetime_s))


def address(
    settings: Settings, sha256: str, name: str, *, grant: Grant | None, is_saved: bool = False
) -> str:
    """Return where the bytes are: for everybody, or for ``grant``'s user and for a while."""
    query = [] if grant is None else [signatures.signed(settings, sha256, grant)]
    query += ["download=1"] if is_saved else []
    base = f"{settings.public_url}/cdn/{sha256}/{quote(name, safe='')}"
    return f"{base}?{'&'.join(query)}" if query else base
