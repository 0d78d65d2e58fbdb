"""The HTTP face of optimising: asked for with an asset, followed as a job."""

from uuid import UUID

from litestar import Response, Router, delete, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from assets.means import Means
from assets.optimize import service
from assets.optimize.schema import Job
from assets.optimize.types import Wanted
from common import answers
from common.answers import Answer
from common.caller import Caller, needs

_BASE = "/api/v1/assets"
_POLL_S = "1"


@put("/{asset_id:uuid}/optimize", opt=needs("assets:write", rate="write"), status_code=202)
async def optimize(
    means: NamedDependency[Means],
    caller: NamedDependency[Caller],
    asset_id: FromPath[UUID],
    data: JSONBody[Wanted],
) -> Response[Answer[Job]]:
    """Have variants of the asset made that have fewer bytes; `Location` is the job that does it.

    Pictures become WebP and AVIF (or, without loss, WebP and PNG), sounds Opus, fonts WOFF2 with
    all of their characters or those that are named. The asset stays as it is.
    """
    job = await service.enqueue(means, caller, asset_id, data)
    headers = {"location": f"{_BASE}/jobs/{job.id}", "retry-after": _POLL_S}
    return Response(answers.answer(job), status_code=202, headers=headers)


@get("/jobs/{job_id:uuid}", opt=needs("assets:read"))
async def show(
    means: NamedDependency[Means], caller: NamedDependency[Caller], job_id: FromPath[UUID]
) -> Response[Answer[Job]]:
    """Show how far a job is; `Retry-After` says when to ask again while it is not over."""
    job = await service.show(means, caller, job_id)
    return Response(answers.answer(job), headers={"retry-after": _POLL_S} if job.is_open else {})


@delete("/jobs/{job_id:uuid}", opt=needs("assets:write", rate="write"))
async def cancel(
    means: NamedDependency[Means], caller: NamedDependency[Caller], job_id: FromPath[UUID]
) -> None:
    """Cancel a job: no more is made. One that is over stays as it is (409)."""
    await service.cancel(means, caller, job_id)


router = Router(_BASE, route_handlers=[optimize, show, cancel], tags=["Assets"])
