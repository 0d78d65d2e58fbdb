"""The fleet's own door to projects: not routed by the gateway, and shut without its secret."""

from uuid import UUID

from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from common.contracts.access import Access
from common.database import Database
from projects.lifecycle import service as lifecycle
from projects.settings import Settings
from projects.snapshots import service
from projects.snapshots.schema import Blobs, Pin, Wanted


@get("/projects/{project_id:uuid}/access")
async def access(db: NamedDependency[Database], project_id: FromPath[UUID]) -> Access:
    """Tell who may do what with a project."""
    return await lifecycle.access(db, project_id)


@post("/projects/{project_id:uuid}/pin", status_code=200)
async def pin(db: NamedDependency[Database], project_id: FromPath[UUID]) -> Pin:
    """Pin the tree as it is now."""
    return await service.pin(db, project_id)


@get("/projects/{project_id:uuid}/tree")
async def tree(
    db: NamedDependency[Database], project_id: FromPath[UUID], seq: FromQuery[int]
) -> Pin:
    """Show the tree as it was."""
    return await service.pin(db, project_id, seq)


@get("/projects/{project_id:uuid}/files/{path:path}")
async def current(
    db: NamedDependency[Database], project_id: FromPath[UUID], path: FromPath[str]
) -> Response[bytes]:
    """Send the bytes of a file as they are now."""
    tag, data = await service.current(db, project_id, path.removeprefix("/"))
    return Response(data, headers={"etag": f'"{tag}"'}, media_type="application/octet-stream")


@post("/blobs", status_code=200)
async def blobs(
    db: NamedDependency[Database], settings: NamedDependency[Settings], data: JSONBody[Wanted]
) -> Blobs:
    """Send contents by hash."""
    return await service.blobs(db, settings, data)


router = Router(
    "/internal", route_handlers=[access, pin, tree, current, blobs], include_in_schema=False
)
