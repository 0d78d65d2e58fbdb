"""The HTTP face of jobs: whoever asked for one follows it, and may call it off."""

from uuid import UUID

from litestar import Response, Router, delete, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from common import answers
from common.answers import LIMIT_MAX, Answer, Feed, PageLimit
from common.caller import Caller, needs
from common.database import Database
from projects import cursors
from projects.cursors import Cursor
from projects.jobs import service
from projects.jobs.schema import Job

_READ = needs("projects:read")
_POLL_S = "1"


@get("/", opt=_READ)
async def index(
    db: NamedDependency[Database],
    caller: NamedDependency[Caller],
    cursor: Cursor = None,
    limit: PageLimit = 20,
) -> Feed[Job]:
    """List the long work that one asked for, the newest first."""
    asked, here = min(limit, LIMIT_MAX), ("jobs", str(caller.user_id))
    before = cursors.position(cursor, UUID, *here)
    rows = await service.index(db, caller, before, asked)
    return cursors.fed(rows, asked, lambda job: job.id, *here)


@get("/{job_id:uuid}", opt=_READ)
async def show(
    db: NamedDependency[Database], caller: NamedDependency[Caller], job_id: FromPath[UUID]
) -> Response[Answer[Job]]:
    """Show how far a job is; `Retry-After` says when to ask again while it is not over."""
    job = await service.show(db, caller, job_id)
    return Response(answers.answer(job), headers={"retry-after": _POLL_S} if job.is_open else {})


@delete("/{job_id:uuid}", opt=needs("projects:write", rate="write"))
async def cancel(
    db: NamedDependency[Database], caller: NamedDependency[Caller], job_id: FromPath[UUID]
) -> None:
    """Cancel a job: nothing becomes of it. One that is over stays as it is (409)."""
    await service.cancel(db, caller, job_id)


router = Router("/api/v1/projects/jobs", route_handlers=[index, show, cancel], tags=["Jobs"])
