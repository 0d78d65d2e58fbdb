"""Many changes of one project, all or none: what a batch comes to, or a restore."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from common.database import Queries
from common.errors import ConflictError, ServiceError
from projects.files import changes, repository, writing
from projects.files.schema import FileInfo, Operation
from projects.files.types import Author, Change, Result
from projects.keyframes import service as keyframes
from projects.live.types import LiveError
from projects.means import Means

# files in one statement
_PART = 500


async def apply(
    tx: Queries,
    means: Means,
    author: Author,
    wanted: list[Change],
    held: frozenset[UUID],
    steps: Sequence[Operation] = (),
) -> dict[str, FileInfo]:
    """Write the changes of a locked project; return the files as they are now.

    What a step asked for did hold when it was taken: another writer may be in the way since.
    Large contents were uploaded before. Raises ``LiveError`` where files have been opened live that
    are not held.
    """
    if not wanted:
        return {}
    known = await _known(tx, author.project_id, wanted, held)
    results = await _results(tx, means, author, known)
    if live := frozenset(result.live for result in results if result.live is not None):
        raise LiveError(held | live)
    for change, result in zip(wanted, results, strict=True):
        if result.verdict in {"retry", "stale", "exists"}:
            raise ConflictError("Somebody else writes these files at once; try again.")
        if result.verdict in writing.QUOTAS:
            raise await writing.over(means, author, result.verdict)
        _refuse_step(result, change.path, steps)
    if any(result.is_due for result in results):
        keyframes.keep_up(means, author.project_id)
    return {
        change.path: msgspec.json.decode(result.body, type=FileInfo)
        for change, result in zip(wanted, results, strict=True)
        if change.hash is not None and result.body is not None
    }


async def _results(tx: Queries, means: Means, author: Author, wanted: list[Change]) -> list[Result]:
    ready = [writing.uploaded(means, change) for change in wanted]
    results: list[Result] = []
    for start in range(0, len(ready), _PART):
        found = await changes.change_all(tx, author, ready[start : start + _PART])
        if found[0].verdict in writing.QUOTAS:
            raise await writing.over(means, author, found[0].verdict)
        results += found
    return results


async def _known(
    tx: Queries, project_id: UUID, wanted: list[Change], held: frozenset[UUID]
) -> list[Change]:
    """The changes with what is held of them: of a document whose file is gone, too."""
    if not held:
        return wanted
    paths = [change.path for change in wanted]
    here = await repository.documents(tx, project_id, paths, list(held))
    return [msgspec.structs.replace(change, held=here.get(change.path)) for change in wanted]


def _refuse_step(result: Result, path: str, steps: Sequence[Operation]) -> None:
    try:
        writing.refuse(result, path)
    except ServiceError as exc:
        index = next((i for i, step in enumerate(steps) if path in {step.path, step.to}), None)
        if index is not None:
            exc.details = [{"index": index, **(exc.details[0] if exc.details else {})}]
        raise
