"""Who is in a room, for whoever may read the project."""

from uuid import UUID

from collab.peers import Projects
from collab.rooms.hall import Hall
from collab.rooms.schema import Occupancy
from common import access
from common.caller import Caller
from common.database import Database


async def presence(
    db: Database, projects: Projects, hall: Hall, caller: Caller, project_id: UUID
) -> Occupancy:
    """Raises ``NotFoundError`` for who may not know of the project."""
    await access.role_on(db, projects.access, project_id, caller.user_id)
    return Occupancy(hall.users(project_id))
