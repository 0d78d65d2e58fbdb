"""Thumbnails, made after an asset can be seen: an upload never waits for one."""

import asyncio

import structlog

from assets.means import Means
from assets.previews import repository
from assets.previews.types import Claim
from assets.studio import service as studio
from assets.variants import making
from assets.variants.types import THUMBNAIL, Source
from common.errors import GONE_AWAY, ServiceError, UnavailableError
from common.ids import uuid7

log = structlog.get_logger()

_MEDIA = frozenset({"pictures", "sounds", "videos", "fonts"})


async def turn(means: Means) -> bool:
    """Make one thumbnail that is wanted; false where none is.

    Whoever dies over it leaves it to the next one, when its time is up.
    """
    settings = means.settings
    claim = await repository.claim(means.db, uuid7(), settings.preview_lease_s)
    if claim is None:
        return False
    if claim.attempt > settings.preview_attempts_max:
        log.error("preview_given_up", sha256=claim.sha256)
        await repository.finish(means.db, claim)
        return True
    try:
        await _make(means, claim)
    except (*GONE_AWAY, UnavailableError) as exc:
        log.warning("preview_waits", sha256=claim.sha256, error=repr(exc))
        await repository.give_back(means.db, claim, settings.preview_pause_s)
    except asyncio.CancelledError:
        await repository.give_back(means.db, claim, 0)
        raise
    except ServiceError as exc:
        log.info("preview_failed", sha256=claim.sha256, code=exc.code)
        await repository.finish(means.db, claim)
    else:
        await repository.finish(means.db, claim)
    return True


async def _make(means: Means, claim: Claim) -> None:
    medium = studio.medium_of(claim.mime_type)
    if medium in _MEDIA and medium is not None:
        source = Source(claim.project_id, claim.sha256, claim.mime_type)
        await making.made(means, source, medium, "thumbnail", THUMBNAIL, {})
