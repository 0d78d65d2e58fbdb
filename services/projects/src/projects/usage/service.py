"""How much a project holds, and how much it may."""

from uuid import UUID

from common.caller import Caller
from common.errors import ForbiddenError, NotFoundError
from projects.means import Means
from projects.permissions import ROLES
from projects.usage import repository
from projects.usage.schema import Amount, Usage


async def show(means: Means, caller: Caller, project_id: UUID) -> Usage:
    """Return what a project holds; its members are told."""
    found = await repository.used(means.db, project_id, caller.user_id)
    if found is None:
        raise NotFoundError("There is no such project.")
    if found.role is None:
        raise ForbiddenError("Your role does not allow this.", {"needs": list(ROLES)})
    settings = means.settings
    return Usage(
        bytes=Amount(found.bytes, settings.storage_bytes_max),
        files=Amount(found.files, settings.files_per_project_max),
        members=Amount(found.members, settings.members_per_project_max),
        seq=found.seq,
    )
