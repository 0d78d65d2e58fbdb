"""Who is in a room, for whoever may read the project."""

from uuid import UUID

from collab.links.desk import Desk, was_refused
from collab.peers import Projects
from collab.permissions import check_reader
from collab.rooms.hall import Hall
from collab.rooms.schema import Occupancy
from common.caller import Caller
from common.database import Database
from common.errors import UnavailableError


async def presence(
    db: Database, desk: Desk, projects: Projects, hall: Hall, caller: Caller, project_id: UUID
) -> Occupancy:
    """Ask the process that has the room.

    Raises ``NotFoundError`` for who may not know of the project, and ``UnavailableError``.
    """
    await check_reader(db, projects.access, project_id, caller.user_id)
    owner = await desk.leases.locate(project_id)
    if owner is None:
        return Occupancy(hall.users(project_id))
    try:
        return await desk.peer(owner).get(f"/internal/projects/{project_id}/room", Occupancy)
    except UnavailableError as exc:
        if was_refused(exc):
            # it died, and everybody who was there is on the way to another one
            return Occupancy(hall.users(project_id))
        raise
