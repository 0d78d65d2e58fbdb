"""Naming a moment of a project's history, and bringing it back."""

from uuid import UUID

from common.caller import Caller
from common.database import Queries
from common.errors import ConflictError, ForbiddenError, NotFoundError
from common.ids import uuid7
from projects.checkpoints import repository
from projects.checkpoints.schema import Checkpoint, NewCheckpoint, Restored
from projects.checkpoints.types import changes_between
from projects.errors import QuotaExceededError
from projects.files import service as files
from projects.files import together
from projects.lifecycle import service as lifecycle
from projects.live import holding
from projects.live.types import LiveError
from projects.means import Means
from projects.permissions import ROLES, WRITERS
from projects.trees import service as trees
from projects.trees.types import moment_of

_NO_PROJECT = "There is no such project."
_NEWEST = UUID(int=2**128 - 1)
_NAME_MAX = 100
# a restore is tried again while others write; after so many times they are told about each other
_ATTEMPTS = 5


async def create(means: Means, caller: Caller, project_id: UUID, new: NewCheckpoint) -> Checkpoint:
    """Name the project as it is, or as it was at a moment."""
    at = None if new.at is None else moment_of(new.at)
    if at is None:
        await holding.settle(means, project_id, caller.user_id)
    seq = None if at is None else await trees.moment(means, caller, project_id, at)
    async with means.db.transaction() as tx:
        await lifecycle.held_for(tx, caller, project_id, WRITERS)
        return await _named(tx, means, caller, project_id, new.name, seq)


async def _named(
    tx: Queries,
    means: Means,
    caller: Caller,
    project_id: UUID,
    name: str,
    seq: int | None = None,
    *,
    is_automatic: bool = False,
) -> Checkpoint:
    limit = means.settings.checkpoints_per_project_max
    # nothing is in the way of a restore
    count_max = 2 * limit if is_automatic else limit
    made = await repository.add(
        tx,
        uuid7(),
        project_id,
        seq,
        name=name,
        is_automatic=is_automatic,
        actor_id=caller.user_id,
        count_max=count_max,
    )
    if made is None:
        used = await repository.count(tx, project_id)
        message = "The project has as many checkpoints as it may."
        raise QuotaExceededError(message, limit=count_max, used=used)
    return made


async def index(
    means: Means, caller: Caller, project_id: UUID, before: UUID | None, limit: int
) -> list[Checkpoint]:
    """Return the newest checkpoints, and one more than ``limit`` if there are others."""
    await _check(means, caller, project_id)
    return await repository.listed(means.db, project_id, before or _NEWEST, limit + 1)


async def show(means: Means, caller: Caller, project_id: UUID, checkpoint_id: UUID) -> Checkpoint:
    """Return a checkpoint."""
    await _check(means, caller, project_id)
    found = await repository.one(means.db, project_id, checkpoint_id)
    if found is None:
        raise NotFoundError("There is no such checkpoint.")
    return found


async def _check(means: Means, caller: Caller, project_id: UUID) -> None:
    """Tell of checkpoints to members alone; others see a public project as it is."""
    seen = await repository.seen(means.db, project_id, caller.user_id)
    if seen is None:
        raise NotFoundError(_NO_PROJECT)
    if seen.role is None:
        raise ForbiddenError("Your role does not allow this.", {"needs": list(ROLES)})


async def restore(means: Means, caller: Caller, project_id: UUID, checkpoint_id: UUID) -> Restored:
    """Let the project's files be what they were; that is new versions, and loses nothing.

    What was there before has a checkpoint of its own then. Raises ``ConflictError`` where others
    write faster than this can.
    """
    wanted = await show(means, caller, project_id, checkpoint_id)

    async def change(held: frozenset[UUID]) -> Restored:
        for _ in range(_ATTEMPTS):
            try:
                return await _restore(means, caller, project_id, wanted, held)
            except _OvertakenError:
                continue
        raise ConflictError("Others write to this project at once; try again.")

    return await holding.around(means, project_id, change)


class _OvertakenError(ConflictError):
    """Somebody else wrote a file in the meantime; nothing was done."""


async def _restore(
    means: Means, caller: Caller, project_id: UUID, to: Checkpoint, held: frozenset[UUID]
) -> Restored:
    async with means.db.transaction() as tx:
        await lifecycle.held_for(tx, caller, project_id, WRITERS)
        live = await holding.marked(tx, project_id)
        if not live <= held:
            raise LiveError(live)
        name = f"Before {to.name}"[:_NAME_MAX]
        before = await _named(tx, means, caller, project_id, name, is_automatic=True)
        now = await repository.live(tx, project_id)
        wanted = changes_between(now, await repository.then(tx, project_id, to.seq))
        author = files.author_of(means, caller, project_id, "restore")
        try:
            await together.apply(tx, means, author, wanted, held)
        except ConflictError as exc:
            raise _OvertakenError(str(exc)) from exc
        # nobody else commits to this project until this has ended: what is seen now is what will be
        after = await repository.head(tx, project_id)
        is_alone = before.seq + len(wanted) == after.seq
        if not is_alone or after.tree_hash != to.tree_hash:
            raise _OvertakenError("Somebody else wrote in the meantime.")
    return Restored(to, before, len(wanted), after.seq)
