"""The HTTP face of copies: a duplicate is made in a while, a fork at once."""

from uuid import UUID

from litestar import Request, Response, Router, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath

from common import answers, slim
from common.answers import Answer
from common.caller import Caller, needs
from common.errors import UnsupportedMediaTypeError
from common.idempotency import Keyed
from projects.copies import service
from projects.copies.schema import Wanted
from projects.jobs.schema import Job
from projects.lifecycle.schema import Project
from projects.means import Means

_BASE = "/api/v1/projects"
_MAKES = needs("projects:write", rate="write", body=Wanted)


@post("/duplicate", opt=_MAKES, middleware=[Keyed], status_code=202)
async def duplicate(
    request: Request[object, object, State],
    means: NamedDependency[Means],
    caller: NamedDependency[Caller],
    project_id: FromPath[UUID],
) -> Response[Answer[Job]]:
    """Have a private copy made of the project as it is now; `Location` is the job that does it.

    Members, invitations, links and the past are not copied.
    """
    wanted = await _wanted(request, means)
    job = await service.duplicate(means, caller, project_id, wanted)
    headers = {"location": f"{_BASE}/jobs/{job.id}", "retry-after": "1"}
    return Response(answers.answer(job), status_code=202, headers=headers)


@post("/fork", opt=_MAKES, middleware=[Keyed])
async def fork(
    request: Request[object, object, State],
    means: NamedDependency[Means],
    caller: NamedDependency[Caller],
    project_id: FromPath[UUID],
) -> Response[Answer[Project]]:
    """Make a private project of one's own out of this one; `forkedFrom` says which it was."""
    wanted = await _wanted(request, means)
    made, body = await service.fork(means, caller, project_id, wanted)
    return answers.raw(body, status=201, location=f"{_BASE}/{made}")


async def _wanted(request: Request[object, object, State], means: Means) -> Wanted:
    """The JSON body; an empty one is one without members."""
    body = await slim.body(request, means.settings.body_bytes_max)
    if not body.strip():
        return Wanted()
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise UnsupportedMediaTypeError("Send application/json.")
    return slim.decoded(body, Wanted)


router = Router(
    "/api/v1/projects/{project_id:uuid}", route_handlers=[duplicate, fork], tags=["Projects"]
)
