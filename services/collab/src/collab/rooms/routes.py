"""The rooms as HTTP shows them."""

from uuid import UUID

from litestar import Router, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath

from collab.peers import Projects
from collab.rooms import service
from collab.rooms.hall import Hall
from collab.rooms.schema import Occupancy
from common import answers
from common.answers import Answer
from common.caller import Caller, needs
from common.database import Database


@get("/{project_id:uuid}/presence", opt=needs("projects:read", rate="read"))
async def presence(
    state: State,
    db: NamedDependency[Database],
    caller: NamedDependency[Caller],
    projects: NamedDependency[Projects],
    hall: NamedDependency[Hall],
    project_id: FromPath[UUID],
) -> Answer[Occupancy]:
    """Show who is in the project's room now."""
    return answers.answer(
        await service.presence(db, state.desk, projects, hall, caller, project_id)
    )


@get("/internal/projects/{project_id:uuid}/room", include_in_schema=False)
async def room(hall: NamedDependency[Hall], project_id: FromPath[UUID]) -> Occupancy:
    """Tell another process of this service who is in a room of this one."""
    return Occupancy(hall.users(project_id))


router = Router("/api/v1/projects", route_handlers=[presence], tags=["collab"])
