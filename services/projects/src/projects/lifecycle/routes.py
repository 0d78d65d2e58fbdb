"""The HTTP face of a project."""

from typing import Annotated, Literal
from uuid import UUID

from litestar import Response, Router, delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.types import Scope

from common import answers, slim
from common.answers import PageLimit, PageNumber
from common.caller import Caller, caller_of, needs
from common.contracts.access import Access
from common.database import Database
from common.idempotency import Keyed
from projects.lifecycle import service
from projects.lifecycle.schema import SORTS, Changes, NewProject, Project, Replacement
from projects.settings import Settings

_BASE = "/api/v1/projects"
_READ = needs("projects:read", anonymous=True)
_WRITE = needs("projects:write", rate="write")
type ListScope = Literal["owned", "shared", "public", "trashed"]


@get("/{project_id:uuid}", opt=_READ, responses=slim.documented(Project))
async def show(scope: Scope) -> slim.Reply:
    """Show a project."""
    project_id = slim.path_uuid(scope, "project_id")
    return slim.json(await service.show(slim.database_of(scope), caller_of(scope), project_id))


@get("/", opt=needs("projects:read"))
async def index(
    db: NamedDependency[Database],
    caller: NamedDependency[Caller],
    scope_: Annotated[ListScope, QueryParameter(name="scope")] = "owned",
    q: Annotated[str, QueryParameter(name="q", max_length=100)] = "",
    sort: Annotated[str, QueryParameter(name="sort")] = "-createdAt",
    page: PageNumber = 1,
    limit: PageLimit = 20,
) -> Response[answers.Page[Project]]:
    """List projects: one's own, those shared with one, public ones, or those in the trash."""
    wanted = answers.window(page, limit, sort, SORTS)
    total, items = await service.index(db, caller, scope_, q, wanted)
    return answers.raw_page(items, total, wanted)


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
    db: NamedDependency[Database], caller: NamedDependency[Caller], project_id: FromPath[UUID]
) -> None:
    """Put a project into the trash."""
    await service.trash(db, caller, project_id)


@get("/internal/projects/{project_id:uuid}/access", include_in_schema=False)
async def access(db: NamedDependency[Database], project_id: FromPath[UUID]) -> Access:
    """Tell who may do what with a project."""
    return await service.access(db, project_id)


router = Router(
    _BASE, route_handlers=[show, index, create, replace, change, trash], tags=["Projects"]
)
