"""Which files of a project name an asset: by its id, by a hash of it, or as ``assets/<name>``."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from itertools import batched
from typing import Protocol
from urllib.parse import quote
from uuid import UUID

from assets.errors import AssetInUseError
from assets.means import Means
from assets.references import repository
from assets.references.types import Mention
from assets.types import Stored
from common.errors import NotFoundError, UnavailableError


class _Nameable(Protocol):
    """Something that a text may name."""

    @property
    def id(self) -> UUID: ...

    @property
    def name(self) -> str: ...


# as many as projects looks for at once
_NEEDLES = 100


def needles(asset_id: UUID, name: str, hashes: Iterable[str]) -> list[str]:
    """How a text may name an asset: in a URL a name is written otherwise."""
    return list(dict.fromkeys([str(asset_id), f"assets/{name}", f"assets/{quote(name)}", *hashes]))


async def demand_unused(means: Means, asset: Stored) -> None:
    """Raise ``AssetInUseError`` where files of the project name the asset, as they are now.

    Raises ``UnavailableError`` where that cannot be told.
    """
    settings = means.settings
    hashes = await repository.hashes(means.db, asset.id)
    lines: dict[tuple[str, int], None] = {}
    try:
        async with asyncio.timeout(settings.references_s_max):
            wanted = needles(asset.id, asset.name, hashes)
            async for one in mentions(means, asset.project_id, wanted):
                lines[one.path, one.line] = None
                if len(lines) >= settings.references_max:
                    break
    except TimeoutError as exc:
        raise UnavailableError("It takes too long to look who uses this asset.") from exc
    except NotFoundError as exc:
        # a project that is gone names nothing; one that is there was not looked through
        if await means.projects.access(asset.project_id) is not None:
            raise UnavailableError from exc
    if lines:
        told = [{"path": path, "line": line} for path, line in sorted(lines)]
        raise AssetInUseError("Files of the project use this asset.", {"references": told})


async def named(
    means: Means, project_id: UUID, assets: Sequence[_Nameable], *, limit_s: float | None = None
) -> set[UUID]:
    """Return those assets that any text names which the project has or ever had.

    Raises ``UnavailableError`` where that cannot be told, also within ``limit_s``, and
    ``NotFoundError`` where there is no such project.
    """
    hashes = await repository.hashes_of(means.db, [asset.id for asset in assets])
    meant: dict[str, set[UUID]] = {}
    for asset in assets:
        for needle in needles(asset.id, asset.name, hashes.get(asset.id, ())):
            meant.setdefault(needle, set()).add(asset.id)
    found: set[UUID] = set()
    try:
        async with asyncio.timeout(limit_s):
            async for one in mentions(means, project_id, list(meant), ever_before=True):
                found |= meant[one.needle]
    except TimeoutError as exc:
        raise UnavailableError("It takes too long to look what is named.") from exc
    return found


async def mentions(
    means: Means, project_id: UUID, wanted: list[str], *, ever_before: bool = False
) -> AsyncGenerator[Mention]:
    """Go through a project's texts, as they are or as they ever were, for what they name.

    Raises ``UnavailableError``, and ``NotFoundError`` where there is no such project.
    """
    for some in batched(wanted, _NEEDLES, strict=False):
        cursor: str | None = None
        while True:
            found = await means.projects.mentions(
                project_id, list(some), after=cursor, ever_before=ever_before
            )
            for one in found.mentions:
                yield one
            cursor = found.next_cursor
            if cursor is None:
                break
