"""The fleet's own door to mentions, shut without its secret."""

from uuid import UUID

from litestar import Router, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from projects.means import Means
from projects.mentions import service
from projects.mentions.schema import Mentions, Sought


@post("/internal/projects/{project_id:uuid}/mentions", status_code=200)
async def mentions(
    means: NamedDependency[Means], project_id: FromPath[UUID], data: JSONBody[Sought]
) -> Mentions:
    """Tell which texts of a project name what is sought."""
    return await service.mentions(means, project_id, data)


internal = Router("/", route_handlers=[mentions], include_in_schema=False)
