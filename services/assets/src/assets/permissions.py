"""Who may do what with a project's assets, by the projects service's word."""

from uuid import UUID

from common.access import Ask, role_on
from common.caller import Caller
from common.database import Database, Queries
from common.errors import ForbiddenError, NotFoundError

WRITERS = ("owner", "editor")


async def demand_reader(db: Database, ask: Ask, caller: Caller, project_id: UUID) -> None:
    """Raise ``NotFoundError`` for who may not know of the project."""
    confine(caller, project_id)
    await role_on(db, ask, project_id, caller.user_id)


async def demand_writer(db: Queries, ask: Ask, caller: Caller, project_id: UUID) -> None:
    """Raise ``NotFoundError`` for a stranger, ``ForbiddenError`` for too weak a role."""
    confine(caller, project_id)
    demand(await role_on(db, ask, project_id, caller.user_id))


def demand(role: str | None) -> None:
    """Raise ``ForbiddenError`` unless ``role`` may change the library."""
    if role not in WRITERS:
        raise ForbiddenError("Your role does not allow this.", {"needs": list(WRITERS)})


def confine(caller: Caller, project_id: UUID) -> None:
    """Hide other projects from an API key that is for one."""
    if not caller.confined_to(project_id):
        raise NotFoundError("There is no such thing.")
