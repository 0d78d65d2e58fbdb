"""The last step: the site and the archive go to the object store."""

import asyncio
import time
from pathlib import Path
from typing import Protocol
from uuid import UUID

import structlog

from builds import places, steps
from builds.mime import media_type
from builds.pipeline.context import Told, Workshop
from builds.pipeline.package import Packed
from builds.types import BuildError
from common.errors import UnavailableError

log = structlog.get_logger()

STEP = steps.PUBLISH


class Shelf(Protocol):
    """Where results are kept."""

    async def put(self, key: str, path: Path, content_type: str) -> None:
        """Keep the file under ``key``."""


async def result(result_id: UUID, packed: Packed, shop: Workshop, shelf: Shelf, told: Told) -> None:
    """Store everything; the build may be played when the last has arrived."""
    turns = asyncio.Semaphore(shop.settings.transfers_at_once)

    async def put(key: str, path: Path) -> None:
        async with turns:
            await _patiently(shop, shelf, key, path, told)

    objects = {places.artifact(result_id, packed.artifact.name): packed.archive}
    if any(page.at is not None for page in packed.pages.values()):
        objects[places.pack(result_id)] = packed.pack
    objects |= {places.page(result_id, path): file for path, file in packed.alone.items()}
    await asyncio.gather(*[put(key, path) for key, path in objects.items()])


async def _patiently(shop: Workshop, shelf: Shelf, key: str, path: Path, told: Told) -> None:
    """A store that is away is waited for: the work is done, only its result has no place yet."""
    pause_s = shop.settings.retry_pause_s
    until = time.monotonic() + shop.settings.publish_for_s
    is_told = False
    while True:
        try:
            await shelf.put(key, path, media_type(path.name))
        except UnavailableError as exc:
            log.warning("publish_waits", key=key, error=repr(exc.__cause__ or exc))
            if time.monotonic() > until:
                break
            if not is_told:
                told.say(STEP, "The store does not answer; the build waits for it.")
                is_told = True
        else:
            return
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 2, shop.settings.retry_pause_s_max)
    raise BuildError("STORAGE_UNAVAILABLE", "The store took no files; try again.")
