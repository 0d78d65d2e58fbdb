"""Several steps at once, all or none of them."""

import asyncio
from contextlib import suppress
from uuid import UUID

import msgspec

from common.caller import Caller
from common.errors import PayloadTooLargeError, ServiceError
from projects.files import repository, writing
from projects.files.plan import Plan, touched
from projects.files.schema import Batch, FileInfo, Operation, Outcome
from projects.files.service import author_of
from projects.files.together import apply
from projects.files.types import Content, content_of, decoded
from projects.lifecycle import service as lifecycle
from projects.live import holding
from projects.live.types import LiveError
from projects.means import Means
from projects.permissions import WRITERS

# of UTF-8, at most
_BYTES_PER_CHAR = 4


async def batch(means: Means, caller: Caller, project_id: UUID, wanted: Batch) -> list[Outcome]:
    """Take the steps in order: all or none, or (not atomic) those that can be taken."""
    settings = means.settings
    if len(wanted.operations) > settings.batch_operations_max:
        limit = settings.batch_operations_max
        raise PayloadTooLargeError("The batch has too many operations.", {"limit": limit})
    author = author_of(means, caller, project_id, "rest")
    large = await asyncio.to_thread(_large, wanted, settings.inline_bytes_max)
    await writing.upload(means, author, large)

    async def change(held: frozenset[UUID]) -> list[Outcome]:
        async with means.db.transaction() as tx:
            await lifecycle.held_for(tx, caller, project_id, WRITERS)
            # the marks first: without one the files that are read next tell all
            marked = await holding.marked(tx, project_id)
            current = await repository.current(tx, project_id, *touched(wanted.operations))
            live = marked & {file.document_id for file in current}
            if not live <= held:
                raise LiveError(live)
            plan = Plan(current, settings.file_bytes_max, settings.batch_moves_max)
            # beside the loop: many files or bytes are no reason for others to wait
            outcomes = await asyncio.to_thread(_steps, plan, wanted)
            files = await apply(tx, means, author, plan.changes(), held, wanted.operations)
        return [_with_file(outcome, files) for outcome in outcomes]

    return await holding.around(means, project_id, change)


def _large(wanted: Batch, inline_max: int) -> list[Content]:
    """The contents that may be large; of what cannot be read its step says so."""
    found = []
    for step in wanted.operations:
        if step.content is not None and len(step.content) * _BYTES_PER_CHAR > inline_max:
            with suppress(ServiceError):
                data = decoded(step.content, step.encoding)
                found.append(content_of(data, len(data)))
    return found


def _steps(plan: Plan, wanted: Batch) -> list[Outcome]:
    return [_step(plan, index, step, wanted) for index, step in enumerate(wanted.operations)]


def _step(plan: Plan, index: int, operation: Operation, wanted: Batch) -> Outcome:
    try:
        plan.step(operation)
    except ServiceError as exc:
        if wanted.atomic:
            exc.details = [{"index": index, **(exc.details[0] if exc.details else {})}]
            raise
        return Outcome(index, operation.op, operation.path, exc.status, exc.code, str(exc))
    return Outcome(index, operation.op, operation.to or operation.path, 200)


def _with_file(outcome: Outcome, files: dict[str, FileInfo]) -> Outcome:
    return msgspec.structs.replace(outcome, file=files.get(outcome.path))
