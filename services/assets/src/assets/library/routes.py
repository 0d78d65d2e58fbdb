"""The HTTP face of a project's library."""

from typing import Annotated
from uuid import UUID

from litestar import MediaType, Response, Router, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, HeaderParameter, JSONBody, QueryParameter

from assets.delivery import negotiation
from assets.library import service
from assets.library.schema import VERSION_MAX, Changes, Missing, Supplies, Wanted
from assets.means import Means
from assets.types import Asset, Kind, Stored, shown
from common import answers
from common.answers import Answer, Page, PageLimit, PageNumber
from common.caller import Caller, needs

_READ = needs("assets:read", anonymous=True)
_WRITE = needs("assets:write", rate="write")
IfMatch = Annotated[str | None, HeaderParameter(name="if-match")]
Version = Annotated[int | None, QueryParameter(name="v", ge=1, le=VERSION_MAX)]


@get("/projects/{project_id:uuid}/assets", opt=_READ)
async def index(
    means: NamedDependency[Means],
    caller: NamedDependency[Caller],
    project_id: FromPath[UUID],
    kind: Annotated[Kind | None, QueryParameter(name="type")] = None,
    q: Annotated[str, QueryParameter(name="q", max_length=100)] = "",
    sort: Annotated[str, QueryParameter(name="sort")] = "-createdAt",
    page: PageNumber = 1,
    limit: PageLimit = 20,
) -> Page[Asset]:
    """List a project's assets, those of one type, or those with ``q`` in their name."""
    wanted = answers.window(page, limit, sort, service.SORTS)
    total, found = await service.index(means, caller, project_id, kind, q, wanted)
    return answers.paged(found, total, wanted)


@get("/assets/{asset_id:uuid}", opt=_READ)
async def show(
    means: NamedDependency[Means],
    caller: NamedDependency[Caller],
    asset_id: FromPath[UUID],
    v: Version = None,
    if_none_match: Annotated[str | None, HeaderParameter(name="if-none-match")] = None,
) -> Response[Answer[Asset] | None]:
    """Show an asset, as it is or as a version of it was."""
    stored = await service.show(means, caller, asset_id, v)
    if if_none_match and negotiation.names(if_none_match, stored.etag, is_weak=True):
        return Response(None, status_code=304, headers=_headers(stored))
    return _answer(means, stored, v)


@patch("/assets/{asset_id:uuid}", opt=_WRITE)
async def change(
    means: NamedDependency[Means],
    caller: NamedDependency[Caller],
    asset_id: FromPath[UUID],
    data: JSONBody[Changes],
    if_match: IfMatch = None,
) -> Response[Answer[Asset] | None]:
    """Rename an asset, or file it under another type."""
    return _answer(means, await service.change(means, caller, asset_id, data, if_match))


@delete("/assets/{asset_id:uuid}", opt=_WRITE)
async def remove(
    means: NamedDependency[Means],
    caller: NamedDependency[Caller],
    asset_id: FromPath[UUID],
    force: Annotated[bool, QueryParameter(name="force")] = False,  # noqa: FBT002 - of the query
    if_match: IfMatch = None,
) -> None:
    """Delete an asset; one that files of the project name only with ``force``."""
    await service.remove(means, caller, asset_id, if_match, force=force)


@post("/assets/{asset_id:uuid}/restore", opt=_WRITE, status_code=200)
async def restore(
    means: NamedDependency[Means], caller: NamedDependency[Caller], asset_id: FromPath[UUID]
) -> Response[Answer[Asset] | None]:
    """Take a deleted asset back into the library."""
    return _answer(means, await service.restore(means, caller, asset_id))


@post("/assets/negotiate", opt=_WRITE, status_code=200)
async def negotiate(
    means: NamedDependency[Means], caller: NamedDependency[Caller], data: JSONBody[Wanted]
) -> Answer[Missing]:
    """Tell which bytes a project's library lacks, by their hashes."""
    missing = await service.negotiate(means, caller, data.project_id, data.sha256)
    return answers.answer(Missing(missing))


@get("/assets/{asset_id:uuid}/download", opt=_READ, status_code=302)
async def download(
    means: NamedDependency[Means],
    caller: NamedDependency[Caller],
    asset_id: FromPath[UUID],
    v: Version = None,
) -> Response[None]:
    """Redirect to a URL that saves the asset under its name; it expires within minutes."""
    url = await service.download(means, caller, asset_id, v)
    headers = {"location": url, "cache-control": "private, no-store"}
    return Response(None, status_code=302, headers=headers, media_type=MediaType.TEXT)


@get("/internal/projects/{project_id:uuid}/assets", opt={"rate": "read"}, include_in_schema=False)
async def supplies(means: NamedDependency[Means], project_id: FromPath[UUID]) -> Supplies:
    """List what a build of the project takes along; for the fleet."""
    return await service.supplies(means, project_id)


def _answer(
    means: Means, stored: Stored, version: int | None = None
) -> Response[Answer[Asset] | None]:
    asset = shown(stored, means.settings, version)
    return Response(answers.answer(asset), headers=_headers(stored))


def _headers(stored: Stored) -> dict[str, str]:
    return {"etag": stored.etag, "cache-control": "private, no-cache"}


router = Router(
    "/api/v1",
    route_handlers=[index, show, change, remove, restore, negotiate, download],
    tags=["Assets"],
)
internal = Router("/", route_handlers=[supplies])
