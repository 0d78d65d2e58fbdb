"""The HTTP face of a project."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Response, Router, delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.types import Scope

from common import answers, slim
from common.answers import PageLimit
from common.caller import Caller, caller_of, needs
from common.contracts.access import Access
from common.database import Database
from common.idempotency import Keyed
from projects import cursors
from projects.lifecycle import service
from projects.lifecycle.schema import Changes, NewProject, Project, Replacement
from projects.lists import service as lists
from projects.lists.types import SORTS, Kind, Wanted
from projects.means import Means
from projects.settings import Settings
from projects.trash import service as bin_

_BASE = "/api/v1/projects"
_READ = needs("projects:read", anonymous=True)
_WRITE = needs("projects:write", rate="write")


@get("/{project_id:uuid}", opt=_READ, responses=slim.documented(Project))
async def show(scope: Scope) -> slim.Reply:
    """Show a project."""
    project_id = slim.path_uuid(scope, "project_id")
    return slim.json(await service.show(slim.database_of(scope), caller_of(scope), project_id))


@get("/", opt=needs("projects:read"))
async def index(
    db: NamedDependency[Database],
    caller: NamedDependency[Caller],
    scope_: Annotated[Kind, QueryParameter(name="scope")] = "owned",
    q: Annotated[str, QueryParameter(name="q", max_length=100, pattern=r"^[^\x00]*$")] = "",
    sort: Annotated[str, QueryParameter(name="sort")] = "-createdAt",
    page: cursors.PageNumber = None,
    cursor: cursors.Cursor = None,
    limit: PageLimit = 20,
) -> Response[answers.Page[Project] | answers.Feed[Project]]:
    """List projects: one's own, those shared with one, public ones, or those in the trash.

    ``q`` is a part of the name, or, from three characters on, nearly one. With ``cursor``, even an
    empty one, the list comes in stretches that miss and repeat nothing, whatever changes meanwhile.
    """
    cursors.alone(cursor, page)
    window = answers.window(page or 1, limit, sort, SORTS)
    wanted = Wanted(scope_, q, sort)
    if cursor is None:
        total, items = await lists.page(db, caller, wanted, window)
        return answers.raw_page(items, total, window)
    # its projects are JSON already
    stretch: Any = await lists.stretch(db, caller, wanted, cursor, window.limit)
    return Response(stretch)


@post("/", opt=_WRITE, middleware=[Keyed])
async def create(
    db: NamedDependency[Database],
    caller: NamedDependency[Caller],
    settings: NamedDependency[Settings],
    data: JSONBody[NewProject],
) -> Response[answers.Answer[Project]]:
    """Create a project."""
    project_id, body = await service.create(db, settings, caller, data)
    return answers.raw(body, status=201, location=f"{_BASE}/{project_id}")


@put("/{project_id:uuid}", opt=_WRITE)
async def replace(
    db: NamedDependency[Database],
    caller: NamedDependency[Caller],
    settings: NamedDependency[Settings],
    project_id: FromPath[UUID],
    data: JSONBody[Replacement],
) -> Response[answers.Answer[Project]]:
    """Replace what is said about a project."""
    return answers.raw(await service.replace(db, settings, caller, project_id, data))


@patch("/{project_id:uuid}", opt=_WRITE)
async def change(
    db: NamedDependency[Database],
    caller: NamedDependency[Caller],
    settings: NamedDependency[Settings],
    project_id: FromPath[UUID],
    data: JSONBody[Changes],
) -> Response[answers.Answer[Project]]:
    """Change what is named about a project."""
    return answers.raw(await service.change(db, settings, caller, project_id, data))


@delete("/{project_id:uuid}", opt=_WRITE)
async def trash(
    means: NamedDependency[Means],
    caller: NamedDependency[Caller],
    project_id: FromPath[UUID],
    purge: Annotated[bool, QueryParameter(name="purge")] = False,  # noqa: FBT002 - of the query
) -> None:
    """Put a project into the trash; ``purge`` deletes it for good, history and all."""
    if purge:
        await bin_.purge(means.db, caller, project_id)
    else:
        await service.trash(means, caller, project_id)


@get("/internal/projects/{project_id:uuid}/access", include_in_schema=False)
async def access(db: NamedDependency[Database], project_id: FromPath[UUID]) -> Access:
    """Tell who may do what with a project."""
    return await service.access(db, project_id)


router = Router(
    _BASE, route_handlers=[show, index, create, replace, change, trash], tags=["Projects"]
)
