"""The HTTP face of starting from a template."""

from litestar import Response, Router, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from common import answers
from common.answers import Answer
from common.caller import Caller, needs
from common.database import Database
from common.idempotency import Keyed
from projects.lifecycle.schema import Project
from projects.peers import Peers
from projects.settings import Settings
from projects.templates import service
from projects.templates.schema import FromTemplate


@post("/{template_id:str}", opt=needs("projects:write", rate="write"), middleware=[Keyed])
async def create(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    peers: NamedDependency[Peers],
    caller: NamedDependency[Caller],
    template_id: FromPath[str],
    data: JSONBody[FromTemplate],
) -> Response[Answer[Project]]:
    """Create a project from a template."""
    project_id, body = await service.create(db, settings, peers, caller, template_id, data)
    return answers.raw(body, status=201, location=f"/api/v1/projects/{project_id}")


router = Router("/api/v1/projects/from-template", route_handlers=[create], tags=["Projects"])
