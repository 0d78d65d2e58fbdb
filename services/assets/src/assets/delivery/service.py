"""The bytes of public projects, for everybody, for ever: their address is their content."""

import re
from collections.abc import AsyncIterator

import msgspec

from assets.delivery import repository
from assets.delivery.repository import Published
from assets.errors import GoneError
from assets.means import Means
from assets.media import claims
from assets.types import BUCKET, object_key
from common import ranges
from common.errors import NotFoundError

_HASH = re.compile(r"[0-9a-f]{64}")
# what the browser shows itself could be run there: only pictures of these are shown in place
_IN_PLACE = frozenset({"image/svg+xml"})
_DOCUMENTS = (claims.ACTIVE | {"application/pdf"}) - _IN_PLACE


class Delivery(msgspec.Struct, frozen=True):
    """What to answer; ``pieces`` is ``None`` where there is no body."""

    status: int
    headers: dict[str, str]
    pieces: AsyncIterator[bytes] | None = None


class Conditions(msgspec.Struct, frozen=True):
    """What a request for bytes says in its headers."""

    is_head: bool
    byte_range: str | None
    if_range: str | None
    if_none_match: str | None


async def deliver(means: Means, sha256: str, asked: Conditions) -> Delivery:
    """Return the bytes with that hash, if a public project has them.

    Raises ``GoneError`` while one has them among its deleted assets alone.
    """
    is_hash = _HASH.fullmatch(sha256)
    found = await repository.published(means.db, sha256) if is_hash else None
    if found is None:
        if is_hash and await repository.withdrawn(means.db, sha256):
            raise GoneError("This file was deleted.")
        raise NotFoundError("There is no such file.")
    headers = _headers(found)
    etag = headers["etag"]
    if asked.if_none_match and _matches(asked.if_none_match, etag):
        return Delivery(304, headers)
    applies = asked.if_range is None or asked.if_range.strip() == etag
    span = ranges.wanted(asked.byte_range if applies else None, found.size)
    if span == "unsatisfiable":
        refused = {"content-range": f"bytes */{found.size}", "accept-ranges": "bytes"}
        return Delivery(416, refused)
    if span == "whole":
        length, wanted, status = found.size, None, 200
    else:
        first, last = span
        length, wanted, status = last - first + 1, f"bytes={first}-{last}", 206
        headers["content-range"] = f"bytes {first}-{last}/{found.size}"
    headers["content-length"] = str(length)
    if asked.is_head:
        return Delivery(status, headers)
    key = object_key(found.project_id, found.sha256)
    _, pieces = await means.storage.stream(BUCKET, key, byte_range=wanted)
    return Delivery(status, headers, pieces)


def _matches(header: str, etag: str) -> bool:
    tags = [tag.strip().removeprefix("W/") for tag in header.split(",")]
    return etag in tags or "*" in tags


def _headers(found: Published) -> dict[str, str]:
    headers = {
        "etag": f'"{found.sha256}"',
        "cache-control": "public, max-age=31536000, immutable",
        "content-type": found.mime_type,
        "x-content-type-options": "nosniff",
        # nothing of it runs, wherever it is opened; a picture in a page is not concerned
        "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
        "cross-origin-resource-policy": "cross-origin",
        "access-control-allow-origin": "*",
        "accept-ranges": "bytes",
    }
    if found.mime_type in _DOCUMENTS:
        headers["content-disposition"] = "attachment"
    if found.mime_type.startswith("text/"):
        headers["content-type"] += "; charset=utf-8"
    return headers
