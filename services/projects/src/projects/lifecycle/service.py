"""What may be done with a project."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET

from common.caller import Caller
from common.contracts.access import Access
from common.contracts.projects import (
    AccessChanged,
    ProjectCreated,
    ProjectDeleted,
    ProjectUpdated,
)
from common.database import Database, Queries
from common.errors import ForbiddenError, NotFoundError, PayloadTooLargeError
from common.ids import uuid7
from common.outbox import announce
from projects.errors import QuotaExceededError
from projects.lifecycle import repository
from projects.lifecycle.repository import Locked
from projects.lifecycle.schema import Changes, NewProject, Replacement
from projects.live import holding
from projects.means import Means
from projects.permissions import OWNERS, WRITERS
from projects.settings import Settings

_ABSENT = "There is no such project."


async def show(db: Database, caller: Caller, project_id: UUID) -> bytes:
    """Return the project as JSON."""
    body = await repository.show(db, project_id, caller.user_id)
    if body is None:
        raise NotFoundError(_ABSENT)
    return body


async def create(
    db: Queries,
    settings: Settings,
    caller: Caller,
    new: NewProject,
    forked_from: UUID | None = None,
) -> tuple[UUID, bytes]:
    """Create a project that the caller owns; return its id, and it as JSON."""
    if caller.project_id is not None:
        raise ForbiddenError("This API key is for one project.")
    _refuse_large(msgspec.json.encode(new), settings)
    project_id = uuid7()
    owner = caller.user_id
    created = ProjectCreated(
        project_id=project_id, owner_id=owner, name=new.name, forked_from=forked_from
    )
    access = AccessChanged(
        project_id=project_id,
        version=1,
        is_public=new.is_public,
        is_deleted=False,
        roles={str(owner): "owner"},
    )
    limit = settings.projects_per_user_max
    events = [(created, project_id), (access, project_id)]
    body = await repository.create(db, project_id, owner, new, forked_from, limit, *events)
    if body is None:
        raise too_many(settings, await owned(db, owner))
    return project_id, body


async def owned(db: Queries, user_id: UUID) -> int:
    """Return how many projects count as somebody's: those in the trash do not."""
    return await repository.count(db, user_id)


async def owned_beside(db: Queries, project_id: UUID) -> int:
    """Return how many count as those of whoever a project counts for, maybe another owner."""
    return await repository.count_beside(db, project_id)


def too_many(settings: Settings, used: int) -> QuotaExceededError:
    """The refusal of one more project to who has ``used`` already."""
    limit = settings.projects_per_user_max
    return QuotaExceededError("You have as many projects as you may.", limit=limit, used=used)


def _refuse_large(body: bytes, settings: Settings) -> None:
    """What is said of a project stays small: lists show it of a hundred at a time."""
    limit = settings.project_bytes_max
    if len(body) > limit:
        raise PayloadTooLargeError("The project's settings are too large.", {"limit": limit})


async def replace(
    db: Database, settings: Settings, caller: Caller, project_id: UUID, to: Replacement
) -> bytes:
    """Let the project be ``to`` and nothing else."""
    named = msgspec.structs.asdict(to)
    return await _update(db, settings, caller, project_id, named, replaces=True)


async def change(
    db: Database, settings: Settings, caller: Caller, project_id: UUID, changes: Changes
) -> bytes:
    """Change what is named."""
    named = {k: v for k, v in msgspec.structs.asdict(changes).items() if v is not UNSET}
    return await _update(db, settings, caller, project_id, named, replaces=False)


async def _update(
    db: Database,
    settings: Settings,
    caller: Caller,
    project_id: UUID,
    named: dict[str, Any],
    *,
    replaces: bool,
) -> bytes:
    async with db.transaction() as tx:
        held = await held_for(tx, caller, project_id, WRITERS)
        if named.get("is_public", held.is_public) != held.is_public and held.role != "owner":
            raise ForbiddenError("Only an owner decides who may see a project.")
        after = await repository.update(
            tx,
            project_id,
            role=held.role,
            replaces=replaces,
            name=named.get("name"),
            description=named.get("description"),
            has_thumbnail="thumbnail_url" in named,
            thumbnail=named.get("thumbnail_url"),
            is_public=named.get("is_public"),
            settings=named.get("settings", {}),
        )
        # merged, they may be more than any one change of them
        _refuse_large(after.body, settings)
        updated = ProjectUpdated(
            project_id=project_id,
            actor_id=caller.user_id,
            name=after.name,
            is_public=after.is_public,
        )
        await announce(tx, updated, project_id)
        if after.is_public != held.is_public:
            await announce_access(tx, project_id)
        return after.body


async def trash(means: Means, caller: Caller, project_id: UUID) -> None:
    """Put the project into the trash; nobody enters it from now on."""
    # it need not be all that was typed: the documents keep the rest until it is restored
    await holding.settle_if_possible(means, project_id, caller.user_id)
    async with means.db.transaction() as tx:
        await held_for(tx, caller, project_id, OWNERS)
        await trash_held(tx, caller, project_id)


async def trash_held(tx: Queries, caller: Caller, project_id: UUID) -> None:
    """Put a project that this transaction holds into the trash, unless it is there."""
    name = await repository.trash(tx, project_id)
    if name is None:
        return
    gone = ProjectDeleted(
        project_id=project_id, actor_id=caller.user_id, name=name, address=caller.address
    )
    await announce(tx, gone, project_id)
    await announce_access(tx, project_id)


async def held_for(tx: Queries, caller: Caller, project_id: UUID, roles: Sequence[str]) -> Locked:
    """Hold the project for a caller who has one of ``roles``.

    Raises ``NotFoundError`` for who may not know of it, ``ForbiddenError`` for too weak a role.
    """
    held = await repository.lock(tx, project_id, caller.user_id)
    if held is None:
        raise NotFoundError(_ABSENT)
    if held.role not in roles:
        raise ForbiddenError("Your role does not allow this.", {"needs": list(roles)})
    return held


async def announce_access(tx: Queries, project_id: UUID) -> Access:
    """Tell everybody who may do what with a project that this transaction holds."""
    now = await repository.next_access(tx, project_id)
    event = AccessChanged(
        project_id=project_id,
        version=now.version,
        is_public=now.is_public,
        is_deleted=now.is_deleted,
        roles=now.roles,
    )
    await announce(tx, event, project_id)
    return now


async def access(db: Database, project_id: UUID) -> Access:
    """Return who may do what with a project; for the fleet, not for callers."""
    found = await repository.access(db, project_id)
    if found is None:
        raise NotFoundError(_ABSENT)
    return found
