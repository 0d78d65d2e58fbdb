"""Making changes: contents first, then the statement, then what its verdicts mean."""

from typing import Any

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
from projects.means import Means
from projects.permissions import WRITERS

QUOTAS = frozenset({"full", "crowded"})
_NO_PROJECT = "There is no such project."
_NO_FILE = "There is no such file."


async def stored(means: Means, author: Author, content: Content, wanted: Change) -> Change:
    """Give large content to the object store, unless the project knows it, or must not have it."""
    plain = msgspec.structs.replace(wanted, content=None)
    here = await changes.standing(means.db, author.project_id, author.user_id, content.hash)
    if here is None:
        raise NotFoundError(_NO_PROJECT)
    if here.role not in WRITERS:
        raise ForbiddenError("Your role does not allow this.", {"needs": list(WRITERS)})
    if here.knows:
        return plain
    if here.bytes + content.size > author.bytes_max:
        raise _full("full", author, here.bytes)
    await contents.store(means, content)
    return msgspec.structs.replace(plain, is_stored=True)


def _full(verdict: str, author: Author, used: int) -> QuotaExceededError:
    is_bytes = verdict == "full"
    limit = author.bytes_max if is_bytes else author.files_max
    held = "bytes" if is_bytes else "files"
    message = f"The project would hold more {held} than it may."
    return QuotaExceededError(message, limit=limit, used=used)


async def changed(means: Means, author: Author, wanted: Change) -> Result:
    """Make one change; who was overtaken by another writer looks again."""
    for _ in range(means.settings.write_attempts_max):
        result = await changes.change(means.db, author, wanted)
        if result.verdict in QUOTAS:
            raise await over(means, author, result.verdict)
        if result.is_due:
            keyframes.keep_up(means, author.project_id)
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


async def kept(means: Means, change: Change) -> Change:
    """The change, whose content the object store has if it is large."""
    if change.content is None or change.size <= means.settings.inline_bytes_max:
        return change
    content = Content(change.content, change.hash or "", "base64")
    await contents.store(means, content)
    return msgspec.structs.replace(change, content=None, is_stored=True)
