"""What may be done with the files of a project."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

import msgspec

from common.answers import Window
from common.caller import Caller
from common.contracts.projects import TreeFilled
from common.database import Database, Queries
from common.errors import (
    ConflictError,
    NotFoundError,
    PayloadTooLargeError,
    ServiceError,
)
from common.outbox import announce
from projects.contents import service as contents
from projects.files import changes, repository, writing
from projects.files.plan import Plan, touched
from projects.files.schema import Batch, FileInfo, Operation, Outcome
from projects.files.types import (
    Author,
    Change,
    Content,
    Entry,
    Result,
    checked_path,
    content_of,
    put,
    shown,
)
from projects.keyframes import service as keyframes
from projects.lifecycle import service as lifecycle
from projects.means import Means
from projects.permissions import WRITERS

# files in one statement
_STRETCH = 2000
_NO_PROJECT = "There is no such project."
_NO_FILE = "There is no such file."


class Written(msgspec.Struct, frozen=True):
    """What a write left: the file as JSON, its hash, and whether it is new."""

    body: bytes
    etag: str
    is_new: bool


class Conditions(msgspec.Struct, frozen=True):
    """What a write asks of the file as it is: ``If-Match``, ``If-None-Match: *``, or creation."""

    expected: str | None = None
    must_be: str = "any"
    is_creation: bool = False


async def show(
    means: Means, caller: Caller, project_id: UUID, path: str, known: str | None
) -> tuple[str, bytes | None]:
    """Return the file's hash, and it as JSON unless the caller has that hash already."""
    found = await repository.show(means.db, project_id, caller.user_id, checked_path(path), known)
    if found is None:
        raise NotFoundError(_NO_FILE)
    if found.body is None or not found.is_stored:
        return found.hash, found.body
    return found.hash, await whole(means, found.hash, found.body)


async def whole(means: Means, content_hash: str, body: bytes) -> bytes:
    """A file as JSON with its content, which the object store has."""
    file = msgspec.json.decode(body)
    file["content"] = shown(await contents.fetch(means, content_hash), file["encoding"])
    return msgspec.json.encode(file)


async def read(means: Means, caller: Caller, project_id: UUID, path: str) -> tuple[str, bytes]:
    """Return the file's hash and its bytes."""
    found = await repository.read(means.db, project_id, caller.user_id, checked_path(path))
    if found is None:
        raise NotFoundError(_NO_FILE)
    if found.data is None:
        return found.hash, await contents.fetch(means, found.hash)
    return found.hash, found.data


async def index(
    db: Database, caller: Caller, project_id: UUID, prefix: str, wanted: Window
) -> tuple[int, bytes]:
    """Return how many files there are below ``prefix``, and a page of them as JSON."""
    found = await repository.listed(db, project_id, caller.user_id, prefix, wanted)
    if found is None:
        raise NotFoundError(_NO_PROJECT)
    return found


def author_of(means: Means, caller: Caller, project_id: UUID, origin: str) -> Author:
    """The caller, as who changes files of a project."""
    settings = means.settings
    return Author(
        project_id=project_id,
        user_id=caller.user_id,
        origin=origin,
        bytes_max=settings.storage_bytes_max,
        files_max=settings.files_per_project_max,
    )


async def write(
    means: Means, caller: Caller, project_id: UUID, path: str, data: bytes, conditions: Conditions
) -> Written:
    """Leave ``data`` at ``path``, if the conditions hold."""
    content = content_of(data, means.settings.file_bytes_max)
    wanted = put(
        checked_path(path), content, expected=conditions.expected, must_be=conditions.must_be
    )
    author = author_of(means, caller, project_id, "rest")
    if contents.is_large(means, content):
        wanted = await writing.stored(means, author, content, wanted)
    result = await writing.changed(means, author, wanted)
    writing.refuse(result, path, is_creation=conditions.is_creation)
    return Written(result.body or b"", result.etag or "", result.verdict == "created")


async def remove(
    means: Means, caller: Caller, project_id: UUID, path: str, expected: str | None
) -> None:
    """Let the file go; its history stays."""
    wanted = Change(path=checked_path(path), hash=None, expected=expected, must_be="present")
    result = await writing.changed(means, author_of(means, caller, project_id, "rest"), wanted)
    writing.refuse(result, path)


async def batch(means: Means, caller: Caller, project_id: UUID, wanted: Batch) -> list[Outcome]:
    """Take the steps in order: all or none, or (not atomic) those that can be taken."""
    settings = means.settings
    if len(wanted.operations) > settings.batch_operations_max:
        limit = settings.batch_operations_max
        raise PayloadTooLargeError("The batch has too many operations.", {"limit": limit})
    async with means.db.transaction() as tx:
        await lifecycle.held_for(tx, caller, project_id, WRITERS)
        current = await repository.current(tx, project_id, *touched(wanted.operations))
        plan = Plan(current, settings.file_bytes_max, settings.batch_moves_max)
        # beside the loop: many files or bytes are no reason for others to wait
        outcomes = await asyncio.to_thread(_steps, plan, wanted)
        author = author_of(means, caller, project_id, "rest")
        files = await apply(tx, means, author, plan.changes(), wanted.operations)
    return [_with_file(outcome, files) for outcome in outcomes]


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


async def apply(
    tx: Queries,
    means: Means,
    author: Author,
    wanted: list[Change],
    steps: Sequence[Operation] = (),
) -> dict[str, FileInfo]:
    """Write the changes of a locked project; return the files as they are now.

    What a step asked for did hold when it was taken: another writer may be in the way since.
    """
    if not wanted:
        return {}
    ready = [await writing.kept(means, change) for change in wanted]
    results = await changes.change_all(tx, author, ready)
    if results[0].verdict in writing.QUOTAS:
        raise await writing.over(means, author, results[0].verdict)
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


def _refuse_step(result: Result, path: str, steps: Sequence[Operation]) -> None:
    try:
        writing.refuse(result, path)
    except ServiceError as exc:
        index = next((i for i, step in enumerate(steps) if path in {step.path, step.to}), None)
        if index is not None:
            exc.details = [{"index": index, **(exc.details[0] if exc.details else {})}]
        raise


def _with_file(outcome: Outcome, files: dict[str, FileInfo]) -> Outcome:
    return msgspec.structs.replace(outcome, file=files.get(outcome.path))


async def fill(
    tx: Queries,
    means: Means,
    author: Author,
    entries: Sequence[Entry],
    tell: Callable[[int], Awaitable[None]] | None = None,
) -> None:
    """Put files into a project that this transaction made: contents that are kept, at their paths.

    ``tell`` is awaited after each stretch with how many files are there. Paths are checked before.
    Raises ``QuotaExceededError``.
    """
    seq: int | str = 0
    for start in range(0, len(entries), _STRETCH):
        part = list(entries[start : start + _STRETCH])
        seq = await changes.fill(tx, author, part)
        if isinstance(seq, str):
            raise await writing.over(means, author, seq)
        if tell is not None:
            await tell(start + len(part))
    if isinstance(seq, int) and seq > 0:
        filled = TreeFilled(
            project_id=author.project_id,
            actor_id=author.user_id,
            origin=author.origin,
            seq=seq,
            files=len(entries),
        )
        await announce(tx, filled, author.project_id)
        keyframes.keep_up(means, author.project_id)


def entries_of(
    files: Sequence[tuple[str, bytes]], bytes_max: int
) -> tuple[list[Entry], list[Content]]:
    """Look at paths and bytes: what is to be kept, and what is to be where."""
    found = [(checked_path(path), content_of(data, bytes_max)) for path, data in files]
    entries = [Entry(path, c.hash, c.size, c.encoding) for path, c in found]
    return entries, [content for _, content in found]
