"""The fleet's own door to files that are open live: collab's, shut without its secret."""

from uuid import UUID

from litestar import Request, Router, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from common import slim
from projects.live import service
from projects.live.schema import (
    Closed,
    Closing,
    LiveFile,
    LiveFiles,
    Look,
    Opening,
    WriteBack,
    Written,
)
from projects.means import Means


@post("/open", status_code=200)
async def mark(
    means: NamedDependency[Means], project_id: FromPath[UUID], data: JSONBody[Opening]
) -> LiveFile:
    """Mark a file as open live."""
    return await service.mark(means, project_id, data)


@post("/look", status_code=200)
async def look(
    means: NamedDependency[Means], project_id: FromPath[UUID], data: JSONBody[Look]
) -> LiveFiles:
    """Tell what the files of documents are now."""
    return await service.look(means, project_id, data)


@post("/write", status_code=200, request_max_body_size=None)
async def write(
    request: Request[object, object, State],
    means: NamedDependency[Means],
    project_id: FromPath[UUID],
) -> Written:
    """Write what was typed into its file."""
    body = await slim.body(request, 2 * means.settings.file_bytes_max)
    return await service.write(means, project_id, slim.decoded(body, WriteBack))


@post("/close", status_code=200)
async def close(
    means: NamedDependency[Means], project_id: FromPath[UUID], data: JSONBody[Closing]
) -> Closed:
    """Take marks away."""
    return Closed(await service.close(means, project_id, data))


internal = Router(
    "/internal/projects/{project_id:uuid}/live",
    route_handlers=[mark, look, write, close],
    include_in_schema=False,
)
