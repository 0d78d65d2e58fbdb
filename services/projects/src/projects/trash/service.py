"""What may be done with a project in the trash."""

from uuid import UUID

from common.caller import Caller
from common.contracts.projects import ProjectDeleted, ProjectRestored
from common.database import Database
from common.errors import ConflictError, NotFoundError
from common.outbox import announce
from projects.lifecycle import service as lifecycle
from projects.permissions import OWNERS
from projects.settings import Settings
from projects.trash import repository

_ABSENT = "There is no such project."
_ATTEMPTS = 5


async def restore(db: Database, settings: Settings, caller: Caller, project_id: UUID) -> bytes:
    """Take the project out of the trash, and return it as JSON; one that is not in it stays.

    Raises ``NotFoundError`` for who may not know of it, ``ForbiddenError`` for who does not own
    it, and ``QuotaExceededError`` where its owner has as many others as they may.
    """
    async with db.transaction() as tx:
        is_trashed = await repository.hold(tx, project_id, caller.user_id)
        if is_trashed is None:
            # it says whether this is nobody's business, or an owner's
            await lifecycle.held_for(tx, caller, project_id, OWNERS)
        if is_trashed:
            name = await repository.restore(tx, project_id, settings.projects_per_user_max)
            if name is None:
                raise lifecycle.too_many(settings, await lifecycle.owned_beside(tx, project_id))
            back = ProjectRestored(project_id=project_id, actor_id=caller.user_id, name=name)
            await announce(tx, back, project_id)
            await lifecycle.announce_access(tx, project_id)
    return await lifecycle.show(db, caller, project_id)


async def purge(db: Database, caller: Caller, project_id: UUID) -> None:
    """Delete the project for good, in the trash or not: its files, its history, its people.

    Raises ``NotFoundError`` for who may not know of it, ``ForbiddenError`` for who does not own it.
    """
    async with db.transaction() as tx:
        # whoever comes from now on finds no project: those that are writing are soon over
        if await repository.hold(tx, project_id, caller.user_id) is None:
            await lifecycle.held_for(tx, caller, project_id, OWNERS)
            raise NotFoundError(_ABSENT)
        await lifecycle.trash_held(tx, caller, project_id)
    for _ in range(_ATTEMPTS):
        if await _purge(db, caller, project_id):
            return
    raise ConflictError("Others write to this project at once; try again.")


async def _purge(db: Database, caller: Caller, project_id: UUID) -> bool:
    """Delete a project that is in the trash; false where a writer was in the way once more."""
    async with repository.overtaken() as overtaken, db.transaction() as tx:
        name = await repository.hold_now(tx, project_id, caller.user_id)
        if name is None:
            raise NotFoundError(_ABSENT)
        gone = ProjectDeleted(
            project_id=project_id,
            actor_id=caller.user_id,
            purged=True,
            name=name,
            address=caller.address,
        )
        await announce(tx, gone, project_id)
        await repository.purge(tx, project_id)
    return not overtaken
