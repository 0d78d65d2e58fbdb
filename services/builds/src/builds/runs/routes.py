"""The HTTP face of builds."""

import re
from typing import Annotated
from uuid import UUID

from litestar import Response, Router, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, Parameter

from builds.means import Means
from builds.runs import service
from builds.runs.schema import Build, NewBuild
from common.answers import Answer, Page, PageLimit, PageNumber, answer, paged
from common.caller import Caller, needs
from common.idempotency import Keyed

_READ = needs("builds:read")
_WRITE = needs("builds:write", rate="write")
_BUILD = needs("builds:write", rate="build")
_WAIT = re.compile(r"(?:^|[,;\s])wait=(\d{1,4})(?:$|[,;\s])")


@post("/builds", opt=_BUILD, middleware=[Keyed])
async def start(
    means: NamedDependency[Means], caller: NamedDependency[Caller], data: JSONBody[NewBuild]
) -> Response[Answer[Build]]:
    """Put a build into the queue; its sources are the project's as they are at this moment."""
    return _created(await service.start(means, caller, data))


@get("/builds/{build_id:uuid}", opt=_READ)
async def show(
    means: NamedDependency[Means],
    caller: NamedDependency[Caller],
    build_id: FromPath[UUID],
    prefer: Annotated[str, Parameter(header="prefer")] = "",
) -> Response[Answer[Build]]:
    """Show a build; ``Prefer: wait=30`` answers when it has ended, or after so many seconds."""
    match = _WAIT.search(prefer)
    if match is None:
        return Response(answer(await service.show(means, caller, build_id)))
    wait_s = min(int(match[1]), means.settings.wait_s_max)
    build = await service.settled(means, caller, build_id, wait_s)
    return Response(answer(build), headers={"preference-applied": f"wait={wait_s}"})


@delete("/builds/{build_id:uuid}", opt=_WRITE)
async def remove(
    means: NamedDependency[Means], caller: NamedDependency[Caller], build_id: FromPath[UUID]
) -> None:
    """Remove a build, its log and its artifacts."""
    await service.delete(means, caller, build_id)


@post("/builds/{build_id:uuid}/cancel", opt=_WRITE, status_code=200)
async def cancel(
    means: NamedDependency[Means], caller: NamedDependency[Caller], build_id: FromPath[UUID]
) -> Answer[Build]:
    """End a build that is queued or under way."""
    return answer(await service.cancel(means, caller, build_id))


@post(
    "/builds/{build_id:uuid}/retry",
    opt=_BUILD,
    middleware=[Keyed],
)
async def retry(
    means: NamedDependency[Means], caller: NamedDependency[Caller], build_id: FromPath[UUID]
) -> Response[Answer[Build]]:
    """Build once more from the same tree, after a failure or a cancellation."""
    return _created(await service.retry(means, caller, build_id))


@post(
    "/builds/{build_id:uuid}/verify",
    opt=_BUILD,
    middleware=[Keyed],
)
async def verify(
    means: NamedDependency[Means], caller: NamedDependency[Caller], build_id: FromPath[UUID]
) -> Response[Answer[Build]]:
    """Build once more from the same input, and fail unless the same bytes come of it."""
    return _created(await service.verify(means, caller, build_id))


@get("/projects/{project_id:uuid}/builds", opt=_READ)
async def index(
    means: NamedDependency[Means],
    caller: NamedDependency[Caller],
    project_id: FromPath[UUID],
    page: PageNumber = 1,
    limit: PageLimit = 20,
    sort: Annotated[str, Parameter(query="sort")] = "-queuedAt",
) -> Page[Build]:
    """List the builds of a project, the newest first."""
    return paged(*await service.index(means, caller, project_id, page, limit, sort))


def _created(build: Build) -> Response[Answer[Build]]:
    location = {"location": f"/api/v1/builds/{build.id}"}
    return Response(answer(build), status_code=201, headers=location)


router = Router(
    "/api/v1", route_handlers=[start, show, remove, cancel, retry, verify, index], tags=["Builds"]
)
