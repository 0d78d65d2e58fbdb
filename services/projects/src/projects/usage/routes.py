"""The HTTP face of usage."""

from uuid import UUID

from litestar import Router, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from common.answers import Answer, answer
from common.caller import Caller, needs
from projects.means import Means
from projects.usage import service
from projects.usage.schema import Usage


@get("/usage", opt=needs("projects:read"))
async def show(
    means: NamedDependency[Means], caller: NamedDependency[Caller], project_id: FromPath[UUID]
) -> Answer[Usage]:
    """Show how much a project holds, and how much it may."""
    return answer(await service.show(means, caller, project_id))


router = Router("/api/v1/projects/{project_id:uuid}", route_handlers=[show], tags=["Projects"])
