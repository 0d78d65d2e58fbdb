"""The HTTP face of collection: what it would do."""

from uuid import UUID

from litestar import Router, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from assets.collection import service
from assets.collection.schema import Garbage
from assets.means import Means
from common import answers
from common.answers import Answer
from common.caller import Caller, needs


@get("/garbage", opt=needs("assets:read"))
async def garbage(
    means: NamedDependency[Means], caller: NamedDependency[Caller], project_id: FromPath[UUID]
) -> Answer[Garbage]:
    """Show what the next collection would delete of a project; nothing is deleted by this."""
    return answers.answer(await service.garbage(means, caller, project_id))


router = Router(
    "/api/v1/projects/{project_id:uuid}/assets", route_handlers=[garbage], tags=["Assets"]
)
