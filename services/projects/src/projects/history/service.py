"""What a project was, change by change, and bringing a file of it back."""

from uuid import UUID

from common.caller import Caller
from common.errors import NotFoundError
from projects.files import service as files
from projects.files.service import Written
from projects.files.types import Entry, checked_path
from projects.history import repository
from projects.history.schema import FileVersion, WantedVersion
from projects.means import Means

_ABSENT = "There is no such project."
_END = 2**62


async def feed(
    means: Means, caller: Caller, project_id: UUID, before: int | None, limit: int
) -> list[FileVersion]:
    """Return the newest changes of a project, and one more than ``limit`` if there are others."""
    await _check(means, caller, project_id)
    return await repository.feed(means.db, project_id, before or _END, limit + 1)


async def file_feed(
    means: Means, caller: Caller, project_id: UUID, path: str, before: int | None, limit: int
) -> list[FileVersion]:
    """Return the newest changes of a file, wherever it was then, and one more than ``limit``."""
    await _check(means, caller, project_id)
    place = checked_path(path)
    found = await repository.file_feed(means.db, project_id, place, before or _END, limit + 1)
    if not found and before is None:
        raise NotFoundError("There never was such a file.")
    return found


async def _check(means: Means, caller: Caller, project_id: UUID) -> None:
    if not await repository.is_visible(means.db, project_id, caller.user_id):
        raise NotFoundError(_ABSENT)


async def restore_file(
    means: Means, caller: Caller, project_id: UUID, wanted: WantedVersion, expected: str | None
) -> Written:
    """Let a file be what it was in one of its versions; that is a new version.

    Raises ``NotFoundError`` where there is no such version, or nothing was in it.
    """
    path = checked_path(wanted.path)
    then = await repository.version(means.db, project_id, caller.user_id, path, wanted.version)
    if then is None or then.hash is None:
        raise NotFoundError("There is no such version of the file.", {"version": wanted.version})
    entry = Entry(path, then.hash, then.size, then.encoding)
    return await files.bring_back(means, caller, project_id, entry, expected)
