"""The HTTP face of the trash."""

from uuid import UUID

from litestar import Response, Router, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from common import answers
from common.caller import Caller, needs
from common.database import Database
from projects.lifecycle.schema import Project
from projects.settings import Settings
from projects.trash import service


@post("/restore", opt=needs("projects:write", rate="write"), status_code=200)
async def restore(
    db: NamedDependency[Database],
    caller: NamedDependency[Caller],
    settings: NamedDependency[Settings],
    project_id: FromPath[UUID],
) -> Response[answers.Answer[Project]]:
    """Take a project out of the trash, as it was; one that is not in it stays as it is."""
    return answers.raw(await service.restore(db, settings, caller, project_id))


router = Router("/api/v1/projects/{project_id:uuid}", route_handlers=[restore], tags=["Projects"])
