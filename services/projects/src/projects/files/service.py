"""What may be done with the files of a project."""

import asyncio
from typing import Any
from uuid import UUID

import msgspec

from common.answers import Window
from common.caller import Caller
from common.database import Database, Queries
from common.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    PayloadTooLargeError,
    PreconditionFailedError,
    ServiceError,
)
from projects.errors import FileExistsAlreadyError, InvalidPathError, QuotaExceededError
from projects.files import repository
from projects.files.plan import Plan, touched
from projects.files.repository import Bytes
from projects.files.schema import Batch, FileInfo, Operation, Outcome
from projects.files.types import Change, Result, checked_path, content_of, put
from projects.lifecycle import service as lifecycle
from projects.permissions import WRITERS
from projects.settings import Settings

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
    db: Database, caller: Caller, project_id: UUID, path: str, known: str | None
) -> tuple[str, bytes | None]:
    """Return the file's hash, and it as JSON unless the caller has that hash already."""
    found = await repository.show(db, project_id, caller.user_id, checked_path(path), known)
    if found is None:
        raise NotFoundError(_NO_FILE)
    return found


async def read(db: Database, caller: Caller, project_id: UUID, path: str) -> Bytes:
    """Return the file's bytes."""
    found = await repository.read(db, project_id, caller.user_id, checked_path(path))
    if found is None:
        raise NotFoundError(_NO_FILE)
    return found


async def index(
    db: Database, caller: Caller, project_id: UUID, prefix: str, wanted: Window
) -> tuple[int, bytes]:
    """Return how many files there are below ``prefix``, and a page of them as JSON."""
    found = await repository.listed(db, project_id, caller.user_id, prefix, wanted)
    if found is None:
        raise NotFoundError(_NO_PROJECT)
    return found


async def write(
    db: Database,
    settings: Settings,
    caller: Caller,
    project_id: UUID,
    path: str,
    data: bytes,
    conditions: Conditions,
) -> Written:
    """Leave ``data`` at ``path``, if the conditions hold."""
    content = content_of(data, settings.file_bytes_max)
    wanted = put(
        checked_path(path), content, expected=conditions.expected, must_be=conditions.must_be
    )
    result = await _change(db, settings, caller, project_id, wanted)
    refuse(result, path, is_creation=conditions.is_creation)
    return Written(result.body or b"", result.etag or "", result.verdict == "created")


async def remove(
    db: Database,
    settings: Settings,
    caller: Caller,
    project_id: UUID,
    path: str,
    expected: str | None,
) -> None:
    """Let the file go; its history stays."""
    wanted = Change(path=checked_path(path), hash=None, expected=expected, must_be="present")
    result = await _change(db, settings, caller, project_id, wanted)
    refuse(result, path)


async def _change(
    db: Database, settings: Settings, caller: Caller, project_id: UUID, wanted: Change
) -> Result:
    """Make one change; who was overtaken by another writer looks again."""
    for _ in range(settings.write_attempts_max):
        result = await repository.change(db, project_id, caller.user_id, wanted, "rest")
        if result.verdict != "retry":
            return result
    raise ConflictError("Too many write this file at once; try again.")


def refuse(result: Result, path: str, *, is_creation: bool = False) -> None:
    """Raise what a verdict means for the caller; return where the change was made."""
    before = _before(result)
    match result.verdict:
        case "missing":
            raise NotFoundError(_NO_PROJECT)
        case "forbidden":
            raise ForbiddenError("Your role does not allow this.", {"needs": list(WRITERS)})
        case "absent":
            raise NotFoundError(_NO_FILE)
        case "clash":
            raise InvalidPathError("A path differs from another in case alone.", {"path": path})
        case "exists" if is_creation:
            raise FileExistsAlreadyError("There is a file at the path.", {"path": path})
        case "exists" | "stale":
            etag = {"etag": f'"{result.etag}"'} if result.etag else {}
            raise PreconditionFailedError("The file is not what you saw.", before, headers=etag)
        case _:
            return


def _before(result: Result) -> dict[str, Any]:
    if result.body is None:
        return {"etag": result.etag}
    now = msgspec.json.decode(result.body)
    return {"etag": result.etag, "updatedAt": now["updatedAt"], "updatedBy": now["updatedBy"]}


async def batch(
    db: Database, settings: Settings, caller: Caller, project_id: UUID, wanted: Batch
) -> list[Outcome]:
    """Take the steps in order: all or none, or (not atomic) those that can be taken."""
    if len(wanted.operations) > settings.batch_operations_max:
        limit = settings.batch_operations_max
        raise PayloadTooLargeError("The batch has too many operations.", {"limit": limit})
    async with db.transaction() as tx:
        await lifecycle.held_for(tx, caller, project_id, WRITERS)
        current = await repository.current(tx, project_id, *touched(wanted.operations))
        plan = Plan(current, settings.file_bytes_max, settings.batch_moves_max)
        # beside the loop: many files or bytes are no reason for others to wait
        outcomes = await asyncio.to_thread(_steps, plan, wanted)
        files = await _apply(tx, settings, caller, project_id, plan.changes())
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


async def _apply(
    tx: Queries, settings: Settings, caller: Caller, project_id: UUID, changes: list[Change]
) -> dict[str, FileInfo]:
    """Write the changes of a locked project; return the files as they are now."""
    if not changes:
        return {}
    results = await repository.change_all(tx, project_id, caller.user_id, changes, "rest")
    for change, result in zip(changes, results, strict=True):
        # what the steps asked for did hold when they were taken: only another writer is in the way
        if result.verdict in {"retry", "stale", "exists"}:
            raise ConflictError("Somebody else writes these files at once; try again.")
        refuse(result, change.path)
    if await repository.live_count(tx, project_id) > settings.files_per_project_max:
        limit = settings.files_per_project_max
        raise QuotaExceededError("The project has as many files as it may.", {"limit": limit})
    return {
        change.path: msgspec.json.decode(result.body, type=FileInfo)
        for change, result in zip(changes, results, strict=True)
        if change.hash is not None and result.body is not None
    }


def _with_file(outcome: Outcome, files: dict[str, FileInfo]) -> Outcome:
    return msgspec.structs.replace(outcome, file=files.get(outcome.path))


async def fill(
    tx: Queries,
    settings: Settings,
    caller: Caller,
    project_id: UUID,
    files: list[tuple[str, bytes]],
    origin: str,
) -> None:
    """Put files into a project that this transaction made."""
    if len(files) > settings.files_per_project_max:
        raise InvalidError.of("files", "There are too many files.")
    changes = [
        put(checked_path(path), content_of(data, settings.file_bytes_max)) for path, data in files
    ]
    if not changes:
        return
    results = await repository.change_all(tx, project_id, caller.user_id, changes, origin)
    for change, result in zip(changes, results, strict=True):
        refuse(result, change.path)
