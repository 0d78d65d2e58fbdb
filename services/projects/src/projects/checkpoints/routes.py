"""The HTTP face of checkpoints."""

from uuid import UUID

from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from common.answers import LIMIT_MAX, Answer, Feed, PageLimit, answer
from common.caller import Caller, needs
from common.idempotency import Keyed
from projects import cursors
from projects.checkpoints import service
from projects.checkpoints.schema import Checkpoint, NewCheckpoint, Restored
from projects.cursors import Cursor
from projects.means import Means

_BASE = "/api/v1/projects/{project_id:uuid}/checkpoints"
_READ = needs("projects:read")
_WRITE = needs("projects:write", rate="write")


@post("/", opt=_WRITE, middleware=[Keyed])
async def create(
    means: NamedDependency[Means],
    caller: NamedDependency[Caller],
    project_id: FromPath[UUID],
    data: JSONBody[NewCheckpoint],
) -> Response[Answer[Checkpoint]]:
    """Give the project as it is a name, or as it was at a moment of its history."""
    made = await service.create(means, caller, project_id, data)
    location = f"/api/v1/projects/{project_id}/checkpoints/{made.id}"
    return Response(answer(made), status_code=201, headers={"location": location})


@get("/", opt=_READ)
async def index(
    means: NamedDependency[Means],
    caller: NamedDependency[Caller],
    project_id: FromPath[UUID],
    cursor: Cursor = None,
    limit: PageLimit = 50,
) -> Feed[Checkpoint]:
    """List checkpoints, the newest first."""
    asked, here = min(limit, LIMIT_MAX), ("checkpoints", str(project_id))
    before = cursors.position(cursor, UUID, *here)
    rows = await service.index(means, caller, project_id, before, asked)
    return cursors.fed(rows, asked, lambda row: row.id, *here)


@get("/{checkpoint_id:uuid}", opt=_READ)
async def show(
    means: NamedDependency[Means],
    caller: NamedDependency[Caller],
    project_id: FromPath[UUID],
    checkpoint_id: FromPath[UUID],
) -> Answer[Checkpoint]:
    """Show a checkpoint."""
    return answer(await service.show(means, caller, project_id, checkpoint_id))


@post("/{checkpoint_id:uuid}/restore", opt=_WRITE, middleware=[Keyed], status_code=200)
async def restore(
    means: NamedDependency[Means],
    caller: NamedDependency[Caller],
    project_id: FromPath[UUID],
    checkpoint_id: FromPath[UUID],
) -> Answer[Restored]:
    """Let the project's files be what they were; ``before`` is the way back."""
    return answer(await service.restore(means, caller, project_id, checkpoint_id))


router = Router(_BASE, route_handlers=[create, index, show, restore], tags=["History"])
