"""Keyframes: whole trees, kept now and then, so that the past is read as fast as the present."""

import asyncio
from contextvars import Context
from uuid import UUID

import structlog

from projects.files.heads import CHANGES_MIN
from projects.keyframes import repository
from projects.means import Means

log = structlog.get_logger()

# how often, and how long at first, the change that asks for a keyframe is waited for
_LOOKS = 6
_PAUSE_S = 0.05


def keep_up(means: Means, project_id: UUID) -> None:
    """Let the project's next keyframe be made; nobody waits for it.

    Where it fails the next change asks for it again: it is due until it is there.
    """
    if project_id in means.under_way:
        return
    # beside the request, and outside of its transaction
    task = asyncio.get_running_loop().create_task(_make(means, project_id), context=Context())
    means.under_way[project_id] = task
    task.add_done_callback(lambda _: means.under_way.pop(project_id, None))


async def _make(means: Means, project_id: UUID) -> None:
    try:
        # who asks may not have committed yet, and does not come back to say so
        for look in range(_LOOKS):
            await asyncio.sleep(_PAUSE_S * 2**look)
            if await repository.make(means.db, project_id, changes_min=CHANGES_MIN):
                return
    except Exception as exc:  # noqa: BLE001 - whatever it is, the next change asks again
        log.warning("keyframe_failed", project_id=str(project_id), error=repr(exc))
