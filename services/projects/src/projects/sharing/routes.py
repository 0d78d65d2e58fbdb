"""The HTTP face of share links: for owners, and for anybody who has one."""

from typing import Annotated
from uuid import UUID

from litestar import Request, Response, Router, delete, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from common import answers, slim
from common.answers import Answer, answer
from common.caller import Caller, headers_of, needs
from common.database import Database
from common.errors import InvalidError
from common.idempotency import Keyed
from projects.asked import path_of, wants_bytes
from projects.files.schema import File
from projects.lifecycle.schema import Project
from projects.means import Means
from projects.replies import sent, tag_of
from projects.sharing import service
from projects.sharing.schema import CreatedShareLink, NewShareLink, ShareLink
from projects.trees.schema import Tree

_WRITE = needs("projects:write", rate="write")
# the token says who may; who has it need not be anybody
_OPEN = needs("projects:read", anonymous=True)
_DEPTH_MAX = 1000


@get("/", opt=needs("projects:read"))
async def index(
    db: NamedDependency[Database], caller: NamedDependency[Caller], project_id: FromPath[UUID]
) -> Answer[list[ShareLink]]:
    """List the links that are good, without their tokens."""
    return answer(await service.index(db, caller, project_id))


@post("/", opt=_WRITE, middleware=[Keyed])
async def create(
    means: NamedDependency[Means],
    caller: NamedDependency[Caller],
    project_id: FromPath[UUID],
    data: JSONBody[NewShareLink],
) -> Response[Answer[CreatedShareLink]]:
    """Make a link with which anybody may read the project; its token is shown this once."""
    made = await service.create(means, caller, project_id, data)
    location = f"/api/v1/projects/{project_id}/share-links/{made.id}"
    headers = {"location": location, "cache-control": "no-store"}
    return Response(answer(made), status_code=201, headers=headers)


@delete("/{link_id:uuid}", opt=_WRITE)
async def revoke(
    db: NamedDependency[Database],
    caller: NamedDependency[Caller],
    project_id: FromPath[UUID],
    link_id: FromPath[UUID],
) -> None:
    """Let a link be good no more."""
    await service.revoke(db, caller, project_id, link_id)


@get("/", opt=_OPEN)
async def show(
    db: NamedDependency[Database],
    caller: NamedDependency[Caller],  # noqa: ARG001 - it holds an API key to its scopes
    token: FromPath[str],
) -> Response[Answer[Project]]:
    """Show the project that a link is for, as a viewer sees it."""
    return answers.raw(await service.show(db, token))


@get("/tree", opt=_OPEN, responses=slim.documented(Tree))
async def tree(
    request: Request[object, object, State],
    means: NamedDependency[Means],
    caller: NamedDependency[Caller],  # noqa: ARG001 - it holds an API key to its scopes
    token: FromPath[str],
    prefix: Annotated[str, QueryParameter(name="prefix", max_length=500)] = "",
    depth: Annotated[int, QueryParameter(name="depth", ge=1, le=_DEPTH_MAX)] = _DEPTH_MAX,
) -> slim.Reply:
    """Show what is where in the project that a link is for, all of it or to a depth."""
    if "\0" in prefix:
        raise InvalidError.of("prefix", "This has a NUL.")
    digest, entries = await service.tree(means, token, prefix, depth)
    tag = ((b"etag", f'"{digest}-{depth}"'.encode()), (b"cache-control", b"no-cache"))
    if tag_of(headers_of(request.scope).get(b"if-none-match")) == f"{digest}-{depth}":
        return slim.empty(304, tag)
    return slim.json(b'{"hash":"' + digest.encode() + b'","entries":' + entries + b"}", headers=tag)


@get("/files/{path:path}", opt=_OPEN, responses=slim.documented(File))
async def file(
    request: Request[object, object, State],
    means: NamedDependency[Means],
    caller: NamedDependency[Caller],  # noqa: ARG001 - it holds an API key to its scopes
    token: FromPath[str],
) -> slim.Reply:
    """Show a file; ``?raw=1`` or ``Accept: application/octet-stream`` gives its bytes."""
    headers = headers_of(request.scope)
    path, known = path_of(request.scope), tag_of(headers.get(b"if-none-match"))
    if wants_bytes(request.scope, headers):
        etag, data = await service.read(means, token, path)
        return sent(data, etag, known, headers)
    etag, body = await service.file(means, token, path, known)
    tag = ((b"etag", b'"' + etag.encode() + b'"'), (b"cache-control", b"no-cache"))
    return slim.empty(304, tag) if body is None else slim.json(body, headers=tag)


router = Router(
    "/api/v1/projects/{project_id:uuid}/share-links",
    route_handlers=[index, create, revoke],
    tags=["Share links"],
)
shared = Router(
    "/api/v1/shared/{token:str}", route_handlers=[show, tree, file], tags=["Share links"]
)
