"""A presigned upload in parts: what they are, where they go, and whether all of them are there."""

import asyncio
import math
from collections.abc import Sequence

from assets.means import Means
from assets.objects.types import Grant
from assets.presigned.schema import NamedPart, Part, PartedUpload, SentPart
from assets.quarantine import service as quarantine
from assets.quarantine.types import Begun
from common import multipart
from common.errors import ConflictError, InvalidError, NotFoundError

# so many URLs are made at once
_PARTS_MAX = 1_000
_NAMED_MAX = 100


def size_of_parts(size: int, least: int) -> int:
    """How large the parts of a file are, but the last."""
    return max(least, multipart.PART_BYTES_MIN, math.ceil(size / _PARTS_MAX))


def sizes(begun: Begun) -> dict[int, int]:
    """How large each part is, by its number."""
    count = math.ceil(begun.size / begun.part_size)
    last = begun.size - (count - 1) * begun.part_size
    return {n: begun.part_size if n < count else last for n in range(1, count + 1)}


async def shown(means: Means, begun: Begun, lifetime_s: int, grant: Grant) -> PartedUpload:
    """Say which parts are there, and where to send the others."""
    made = quarantine.of(means, begun.id, begun.multipart_id)
    wanted = sizes(begun)
    try:
        there = {part.number: part for part in await made.parts()}
    except NotFoundError:
        # it is one object already, which is only to be looked at
        wanted, there = {}, {}
    sent = {n: part for n, part in there.items() if wanted.get(n) == part.size}
    parts = []
    for number, size in wanted.items():
        if number not in sent:
            signed = await made.signed_put(number, size, lifetime_s=lifetime_s, marks=grant.marks)
            parts.append(Part(number, size, signed.url, signed.headers))
            # signing waits for nothing: others get their turn in between
            await asyncio.sleep(0)
    return PartedUpload(
        id=begun.id,
        method="PUT",
        size=begun.size,
        part_size=begun.part_size,
        parts=parts,
        uploaded=[SentPart(part.number, part.size, part.etag) for part in sent.values()],
        expires_at=begun.expires_at,
    )


async def joined(means: Means, begun: Begun, named: Sequence[NamedPart] | None) -> None:
    """Let the parts be one object, if they are all there and are those that were named.

    Raises ``InvalidError`` or ``ConflictError``; the parts stay, and it can be tried again.
    """
    made = quarantine.of(means, begun.id, begun.multipart_id)
    try:
        there = {part.number: part for part in await made.parts()}
    except NotFoundError:
        return  # it is one object already, or gone: whoever looks at it sees
    wanted = sizes(begun)
    if named is not None:
        _compare(named, {n: there[n].etag for n in wanted if n in there}, wanted)
    missing = [n for n, size in wanted.items() if n not in there or there[n].size != size]
    if missing:
        raise ConflictError(
            "Not all parts were uploaded yet.",
            *[{"field": "parts", "number": number} for number in missing[:_NAMED_MAX]],
        )
    try:
        await made.complete([there[number] for number in wanted])
    except NotFoundError:
        return  # by another request, meanwhile


def _compare(named: Sequence[NamedPart], etags: dict[int, str], wanted: dict[int, int]) -> None:
    wrong = [
        {
            "field": f"parts[{index}]",
            "number": part.number,
            "message": "No part is there with this number and ETag.",
        }
        for index, part in enumerate(named)
        if etags.get(part.number) != part.etag.strip('"')
    ]
    unnamed = sorted(wanted.keys() - {part.number for part in named})
    wrong += [
        {"field": "parts", "number": number, "message": "This part is not named."}
        for number in unnamed
    ]
    if wrong:
        raise InvalidError("The parts are not those that were sent.", *wrong[:_NAMED_MAX])
