"""The HTTP face of trees: one for callers, and the fleet's own door, shut without its secret."""

from typing import Annotated
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from common import slim
from common.caller import Caller, headers_of, needs
from common.errors import InvalidError
from projects.means import Means
from projects.replies import hash_of_tree, tag_of, tree_sent
from projects.trees import service
from projects.trees.schema import Blobs, Pin, Tree, Wanted
from projects.trees.types import moment_of


@get("/tree", opt=needs("projects:read", anonymous=True), responses=slim.documented(Tree))
async def tree(
    request: Request[object, object, State],
    means: NamedDependency[Means],
    caller: NamedDependency[Caller],
    project_id: FromPath[UUID],
    prefix: Annotated[str, QueryParameter(name="prefix", max_length=500)] = "",
    depth: Annotated[
        int, QueryParameter(name="depth", ge=1, le=service.DEPTH_MAX)
    ] = service.DEPTH_MAX,
    at: Annotated[str | None, QueryParameter(name="at", max_length=40)] = None,
) -> slim.Reply:
    """Show what is where, all of it or to a depth, or what was ``at`` a moment of the history.

    The ETag stands for every file below.
    """
    known = tag_of(headers_of(request.scope).get(b"if-none-match"))
    digest = hash_of_tree(known, depth)
    if at is None:
        found = service.tree(means, caller, project_id, _text(prefix), depth, digest)
    else:
        moment = moment_of(at)
        found = service.past(means, caller, project_id, moment, _text(prefix), depth, digest)
    return tree_sent(*await found, depth, known)


@post("/projects/{project_id:uuid}/pin", status_code=200)
async def pin(means: NamedDependency[Means], project_id: FromPath[UUID]) -> Pin:
    """Pin the tree as it is now."""
    return await service.pin(means, project_id)


@get("/projects/{project_id:uuid}/tree")
async def past(
    means: NamedDependency[Means], project_id: FromPath[UUID], seq: FromQuery[int]
) -> Pin:
    """Show the tree as it was."""
    return await service.pin(means, project_id, seq)


@get("/projects/{project_id:uuid}/files/{path:path}")
async def current(
    means: NamedDependency[Means], project_id: FromPath[UUID], path: FromPath[str]
) -> Response[bytes]:
    """Send the bytes of a file as they are now."""
    tag, data = await service.current(means, project_id, path.removeprefix("/"))
    return Response(data, headers={"etag": f'"{tag}"'}, media_type="application/octet-stream")


@post("/blobs", status_code=200)
async def blobs(means: NamedDependency[Means], data: JSONBody[Wanted]) -> Blobs:
    """Send contents by hash."""
    return await service.blobs(means, data)


def _text(text: str) -> str:
    if "\0" in text:
        raise InvalidError.of("prefix", "This has a NUL.")
    return text


router = Router("/api/v1/projects/{project_id:uuid}", route_handlers=[tree], tags=["Files"])
internal = Router("/internal", route_handlers=[pin, past, current, blobs], include_in_schema=False)
