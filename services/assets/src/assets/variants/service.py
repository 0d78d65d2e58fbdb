"""What may be had of an asset beside its own bytes: smaller pictures, in other formats."""

import asyncio
from uuid import UUID

import msgspec

from assets.errors import QuotaExceededError
from assets.library import service as library
from assets.library.types import Seen
from assets.means import Means
from assets.objects.types import Grant
from assets.types import BUCKET, Stored, object_key
from assets.variants import making, repository
from assets.variants.schema import Variant
from assets.variants.types import THUMBNAIL, Format, Made, Source
from common.caller import Caller
from common.errors import ForbiddenError, NotFoundError, UnsupportedMediaTypeError

# pictures that are decoded here
_PICTURES = frozenset(
    {
        "image/png",
        "image/jpeg",
        "image/gif",
        "image/bmp",
        "image/webp",
        "image/avif",
        "image/x-icon",
    }
)


class Asked(msgspec.Struct, frozen=True):
    """A picture within a box; without a format it is one that the caller takes."""

    width: int | None
    height: int | None
    format: Format | None

    @property
    def is_empty(self) -> bool:
        """Whether nothing in particular is wanted."""
        return (self.width, self.height, self.format) == (None, None, None)


def source_of(asset: Stored) -> Source:
    """The bytes that an asset is now."""
    return Source(asset.project_id, asset.sha256, asset.mime_type)


async def index(means: Means, caller: Caller, asset_id: UUID) -> list[Variant]:
    """Return everything that was made of the asset's bytes."""
    asset = await library.show(means, caller, asset_id)
    found = await repository.all_of(means.db, source_of(asset))
    urls: list[str] = []
    for one in found:
        urls.append(await _address(means, caller, asset, one.sha256))
        # signing waits for nothing: others get their turn in between
        await asyncio.sleep(0)
    return [
        Variant(v.options, v.mime_type, v.size, v.sha256, v.metadata, url, v.created_at)
        for v, url in zip(found, urls, strict=True)
    ]


async def picture(means: Means, caller: Caller, asset_id: UUID, asked: Asked, accept: str) -> str:
    """Return where the picture is within the box; it is made if it was not asked for before."""
    asset = await library.found(means.db, caller, asset_id)
    if asset.mime_type not in _PICTURES:
        raise UnsupportedMediaTypeError(
            "Only pictures have variants.", {"field": "", "found": asset.mime_type}
        )
    made = await _picture(means, asset, asked, asked.format or _taken(asset, accept))
    return await _address(means, caller, asset, made.sha256)


async def _picture(means: Means, asset: Seen, asked: Asked, kind: Format) -> Made:
    # it is never larger than it was: what would be is one and the same
    longest = max(asset.metadata.get("width", 0), asset.metadata.get("height", 0)) or None
    width, height = (_within(side, longest) for side in (asked.width, asked.height))
    box = "&".join(f"{name}={v}" for name, v in (("w", width), ("h", height)) if v is not None)
    name = f"{box}&format={kind}" if box else f"format={kind}"
    source = source_of(asset)
    options = {"width": width, "height": height, "format": kind}
    if await repository.find(means.db, source, name) is None:
        if asset.role is None:
            # it would be made at the project's expense
            raise ForbiddenError("Only members of the project have pictures made.")
        limit = means.settings.variants_max
        used = await repository.count(means.db, source)
        if used >= limit:
            raise QuotaExceededError(
                "The asset has as many variants as may be.", limit=limit, used=used
            )
    return await making.made(means, source, "pictures", "variant", name, options)


def _within(side: int | None, longest: int | None) -> int | None:
    return side if side is None or longest is None else min(side, longest)


def _taken(asset: Stored, accept: str) -> Format:
    """The smallest format that the caller says it takes, else one that everybody does."""
    if "image/avif" in accept:
        return "avif"
    if "image/webp" in accept:
        return "webp"
    return "png" if asset.metadata.get("hasAlpha", True) else "jpeg"


async def thumbnail(means: Means, caller: Caller, asset_id: UUID) -> str:
    """Return where the asset's thumbnail is."""
    asset = await library.show(means, caller, asset_id)
    found = await repository.find(means.db, source_of(asset), THUMBNAIL)
    if found is None:
        raise NotFoundError("There is no thumbnail, or not yet.")
    return await _address(means, caller, asset, found.sha256)


async def _address(means: Means, caller: Caller, asset: Stored, sha256: str) -> str:
    """An address that is good for a while, and for as long as the caller may read."""
    return await means.storage.signed_get(
        BUCKET,
        object_key(asset.project_id, sha256),
        lifetime_s=means.settings.download_lifetime_s,
        marks=Grant(caller.user_id, asset.project_id).marks,
    )
