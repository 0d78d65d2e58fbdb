"""The HTTP face of artifacts."""

from uuid import UUID

from litestar import MediaType, Response, Router, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from builds.artifacts import service
from builds.means import Means
from builds.types import Artifact
from common.answers import Answer, answer
from common.caller import Caller, needs

_READ = needs("builds:read")


@get("/", opt=_READ)
async def index(
    means: NamedDependency[Means], caller: NamedDependency[Caller], build_id: FromPath[UUID]
) -> Answer[list[Artifact]]:
    """List what came of a build."""
    return answer(await service.index(means, caller, build_id))


@get("/{name:str}", opt=_READ, status_code=302)
async def download(
    means: NamedDependency[Means],
    caller: NamedDependency[Caller],
    build_id: FromPath[UUID],
    name: FromPath[str],
) -> Response[bytes]:
    """Lead to a signed address of an artifact, good for a few minutes."""
    location = await service.address(means, caller, build_id, name)
    headers = {"location": location, "cache-control": "no-store"}
    return Response(b"", status_code=302, headers=headers, media_type=MediaType.TEXT)


router = Router(
    "/api/v1/builds/{build_id:uuid}/artifacts", route_handlers=[index, download], tags=["Builds"]
)
