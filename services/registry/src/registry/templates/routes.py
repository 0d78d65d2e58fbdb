"""The HTTP face of templates."""

from typing import Annotated

from litestar import MediaType, Response, Router, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, HeaderParameter, QueryParameter

from common import answers
from common.answers import Answer, Page, PageLimit, PageNumber
from common.caller import Caller, needs
from common.database import Database
from registry.settings import Settings
from registry.templates import service
from registry.templates.schema import Template

_READ = needs("registry:read", anonymous=True)
IfNoneMatch = Annotated[str, HeaderParameter(name="if-none-match")]


@get("/", opt=_READ)
async def index(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    caller: NamedDependency[Caller],  # noqa: ARG001 - it holds an API key to its scopes
    q: Annotated[str, QueryParameter(name="q", max_length=100)] = "",
    tag: Annotated[str, QueryParameter(name="tag", max_length=100)] = "",
    sort: Annotated[str, QueryParameter(name="sort")] = "name",
    page: PageNumber = 1,
    limit: PageLimit = 20,
) -> Response[Page[Template]]:
    """List templates, those with a tag, or those with ``q`` in what is said about them."""
    wanted = answers.window(page, limit, sort, service.SORTS)
    total, items = await service.index(db, settings, q, tag, wanted)
    return answers.raw_page(items, total, wanted)


@get("/{template_id:str}", opt=_READ)
async def show(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    caller: NamedDependency[Caller],  # noqa: ARG001 - it holds an API key to its scopes
    template_id: FromPath[str],
    if_none_match: IfNoneMatch = "",
) -> Response[Answer[Template] | None]:
    """Show a template by its id or its slug."""
    shown = await service.show(db, settings, template_id)
    etag = f'"{shown.digest}"'
    if etag in if_none_match:
        return Response(None, status_code=304, headers={"etag": etag})
    answer = answers.raw(shown.body)
    answer.set_header("etag", etag)
    return answer


@get("/{template_id:str}/thumbnail", opt=_READ, media_type="image/*")
async def thumbnail(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    caller: NamedDependency[Caller],  # noqa: ARG001 - it holds an API key to its scopes
    template_id: FromPath[str],
    if_none_match: IfNoneMatch = "",
) -> Response[bytes]:
    """Send a template's picture."""
    picture = await service.thumbnail(db, template_id)
    headers = {
        "etag": picture.etag,
        "cache-control": f"public, max-age={settings.thumbnail_cache_s}",
        "x-content-type-options": "nosniff",
    }
    if picture.etag in if_none_match:
        return Response(b"", status_code=304, headers=headers)
    return Response(picture.content, headers=headers, media_type=picture.media_type)


@get("/{template_id:str}")
async def source(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    state: State,
    template_id: FromPath[str],
) -> Response[bytes]:
    """Send all that a project needs to start from a template; for the fleet."""
    body = await service.source(db, state.cache, settings, template_id)
    return Response(body, media_type=MediaType.JSON)


router = Router(service.BASE, route_handlers=[index, show, thumbnail], tags=["Templates"])
internal = Router("/internal/templates", route_handlers=[source], include_in_schema=False)
