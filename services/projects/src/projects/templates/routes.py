"""The HTTP face of starting from a template."""

from litestar import Response, Router, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from common import answers
from common.answers import Answer
from common.caller import Caller, needs
from common.idempotency import Keyed
from projects.lifecycle.schema import Project
from projects.means import Means
from projects.peers import Peers
from projects.templates import service
from projects.templates.schema import FromTemplate


@post("/{template_id:str}", opt=needs("projects:write", rate="write"), middleware=[Keyed])
async def create(
    means: NamedDependency[Means],
    peers: NamedDependency[Peers],
    caller: NamedDependency[Caller],
    template_id: FromPath[str],
    data: JSONBody[FromTemplate],
) -> Response[Answer[Project]]:
    """Create a project from a template."""
    project_id, body = await service.create(means, peers, caller, template_id, data)
    return answers.raw(body, status=201, location=f"/api/v1/projects/{project_id}")


router = Router("/api/v1/projects/from-template", route_handlers=[create], tags=["Projects"])
