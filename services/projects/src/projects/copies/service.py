"""Copying projects: the contents stay where they are, and the copy has them too."""

from uuid import UUID

import msgspec

from common.caller import Caller
from common.errors import ForbiddenError, NotFoundError
from projects.copies import repository
from projects.copies.schema import Wanted
from projects.copies.types import Order, Source, name_of_copy
from projects.files import service as files
from projects.jobs import service as jobs
from projects.jobs.schema import Job
from projects.jobs.types import Outcome, Task, Works
from projects.lifecycle import service as lifecycle
from projects.lifecycle.schema import NewProject
from projects.live import holding
from projects.means import Means

_DUPLICATE = "duplicate"


async def duplicate(means: Means, caller: Caller, project_id: UUID, wanted: Wanted) -> Job:
    """Have a copy made of the project as it is now; return the job."""
    await holding.settle(means, project_id, caller.user_id)
    found = await repository.source(means.db, project_id, caller.user_id)
    source = _checked(found, means, caller)
    order = Order(project_id, source.seq, wanted.name)
    given = msgspec.to_builtins(order)
    return await jobs.enqueue(means.db, means.settings, caller, _DUPLICATE, given)


async def make(means: Means, task: Task) -> Outcome:
    """Make the copy that a job asks for; who may not see the project any more gets none."""
    order = msgspec.convert(task.given, Order)
    found = await repository.hold(task.tx, order.project_id, task.caller.user_id)
    source = _checked(found, means, task.caller)
    entries = await repository.entries(task.tx, order.project_id, order.seq)
    new = _new(source, order.name or name_of_copy(source.name))
    made, _ = await lifecycle.create(task.tx, means.settings, task.caller, new)

    async def tell(count: int) -> None:
        await task.reach(count / len(entries))

    author = files.author_of(means, task.caller, made, _DUPLICATE)
    await files.fill(task.tx, means, author, entries, tell)
    return Outcome(f"/api/v1/projects/{made}", made)


async def fork(
    means: Means, caller: Caller, project_id: UUID, wanted: Wanted
) -> tuple[UUID, bytes]:
    """Make a project that says which it comes from; return its id, and it as JSON."""
    await holding.settle(means, project_id, caller.user_id)
    async with means.db.transaction() as tx:
        source = _checked(await repository.hold(tx, project_id, caller.user_id), means, caller)
        entries = await repository.entries(tx, project_id, source.seq)
        new = _new(source, wanted.name or source.name)
        made, body = await lifecycle.create(tx, means.settings, caller, new, project_id)
        author = files.author_of(means, caller, made, "fork")
        await files.fill(tx, means, author, entries)
    return made, body


def _checked(source: Source | None, means: Means, caller: Caller) -> Source:
    """The project; raises for who may not see it, or may have no more of their own."""
    if source is None:
        raise NotFoundError("There is no such project.")
    if caller.project_id is not None:
        raise ForbiddenError("This API key is for one project.")
    if source.owned >= means.settings.projects_per_user_max:
        raise lifecycle.too_many(means.settings, source.owned)
    return source


def _new(source: Source, name: str) -> NewProject:
    """The copy is private, whatever the project is: it is somebody else's."""
    return NewProject(
        name=name,
        description=source.description,
        thumbnail_url=source.thumbnail_url,
        settings=source.settings,
    )


WORKS: Works = {_DUPLICATE: make}
