"""Making changes: contents first, then the statement, then what its verdicts mean."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from common.errors import (
    ConflictError,
    ForbiddenError,
    NotFoundError,
    PreconditionFailedError,
)
from projects.contents import service as contents
from projects.errors import FileExistsAlreadyError, InvalidPathError, QuotaExceededError
from projects.files import changes
from projects.files.types import Author, Change, Content, Result
from projects.keyframes import service as keyframes
from projects.live import holding
from projects.live.types import LiveError
from projects.means import Means
from projects.permissions import WRITERS

QUOTAS = frozenset({"full", "crowded"})
_NO_PROJECT = "There is no such project."
_NO_FILE = "There is no such file."


async def upload(means: Means, author: Author, given: Sequence[Content]) -> None:
    """Give large contents to the object store, but for those that the project knows.

    Before any transaction: nothing is held while another server thinks. Nothing is uploaded for
    who may not write, or beyond what the project may hold.
    """
    large = {content.hash: content for content in given if contents.is_large(means, content)}
    if not large:
        return
    here = await changes.standing(means.db, author.project_id, author.user_id, list(large))
    if here is None:
        raise NotFoundError(_NO_PROJECT)
    if here.role not in WRITERS:
        raise ForbiddenError("Your role does not allow this.", {"needs": list(WRITERS)})
    new = [content for name, content in large.items() if name not in here.known]
    if new and here.bytes + sum(content.size for content in new) > author.bytes_max:
        raise _full("full", author, here.bytes)
    for content in new:
        await contents.store(means, content)


def uploaded(means: Means, change: Change) -> Change:
    """The change without its content, if that is large: it was uploaded."""
    if change.content is None or change.size <= means.settings.inline_bytes_max:
        return change
    return msgspec.structs.replace(change, content=None, is_stored=True)


def _full(verdict: str, author: Author, used: int) -> QuotaExceededError:
    is_bytes = verdict == "full"
    limit = author.bytes_max if is_bytes else author.files_max
    held = "bytes" if is_bytes else "files"
    message = f"The project would hold more {held} than it may."
    return QuotaExceededError(message, limit=limit, used=used)


async def changed(means: Means, author: Author, wanted: Change) -> Result:
    """Make one change; what is open live is held meanwhile."""

    async def change(held: frozenset[UUID]) -> Result:
        # one path, one document
        ready = msgspec.structs.replace(wanted, held=next(iter(held))) if held else wanted
        return await _changed(means, author, ready)

    return await holding.around(means, author.project_id, change)


async def _changed(means: Means, author: Author, wanted: Change) -> Result:
    """Who was overtaken by another writer looks again."""
    for _ in range(means.settings.write_attempts_max):
        result = await changes.change(means.db, author, wanted)
        if result.verdict in QUOTAS:
            raise await over(means, author, result.verdict)
        if result.is_due:
            keyframes.keep_up(means, author.project_id)
        if result.live is not None:
            raise LiveError(frozenset({result.live}))
        if result.verdict != "retry":
            return result
    raise ConflictError("Too many write this file at once; try again.")


async def over(means: Means, author: Author, verdict: str) -> QuotaExceededError:
    """What a verdict of one of ``QUOTAS`` means, and how much there is already."""
    here = await changes.standing(means.aside, author.project_id, author.user_id)
    used = 0 if here is None else here.bytes if verdict == "full" else here.files
    return _full(verdict, author, used)


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
            fault = "Another path is in its way: in another case, or a file where a folder is."
            raise InvalidPathError(fault, {"path": path})
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
