"""The HTTP face of a project's history."""

from uuid import UUID

from litestar import Request, Router, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from common import slim
from common.answers import LIMIT_MAX, Feed, PageLimit
from common.caller import Caller, headers_of, needs
from common.idempotency import Keyed
from projects import cursors
from projects.asked import path_of
from projects.cursors import Cursor
from projects.files.schema import FileInfo
from projects.history import service
from projects.history.schema import FileVersion, WantedVersion
from projects.means import Means
from projects.replies import tag_of

_READ = needs("projects:read", anonymous=True)


@get("/history", opt=_READ)
async def feed(
    means: NamedDependency[Means],
    caller: NamedDependency[Caller],
    project_id: FromPath[UUID],
    cursor: Cursor = None,
    limit: PageLimit = 50,
) -> Feed[FileVersion]:
    """Tell what changed in a project, the newest first."""
    asked, here = min(limit, LIMIT_MAX), ("history", str(project_id))
    rows = await service.feed(means, caller, project_id, _before(cursor, *here), asked)
    return cursors.fed(rows, asked, lambda row: row.seq, *here)


@get("/history/files/{path:path}", opt=_READ)
async def file_feed(
    request: Request[object, object, State],
    means: NamedDependency[Means],
    caller: NamedDependency[Caller],
    project_id: FromPath[UUID],
    cursor: Cursor = None,
    limit: PageLimit = 50,
) -> Feed[FileVersion]:
    """Tell what changed in a file, the newest first, and under the paths that it had before."""
    path = path_of(request.scope, "/history/files/")
    asked, here = min(limit, LIMIT_MAX), ("history", str(project_id), path)
    rows = await service.file_feed(means, caller, project_id, path, _before(cursor, *here), asked)
    return cursors.fed(rows, asked, lambda row: row.seq, *here)


def _before(cursor: str | None, *here: str) -> int | None:
    return cursors.position(cursor, _seq, *here)


def _seq(text: str) -> int:
    seq = int(text)
    if not 0 < seq < 2**62:
        raise ValueError(text)
    return seq


@post(
    "/restore-file",
    opt=needs("projects:write", rate="write"),
    middleware=[Keyed],
    status_code=200,
    responses=slim.documented(FileInfo),
)
async def restore_file(
    request: Request[object, object, State],
    means: NamedDependency[Means],
    caller: NamedDependency[Caller],
    project_id: FromPath[UUID],
    data: JSONBody[WantedVersion],
) -> slim.Reply:
    """Let a file be again what it was in one of its versions."""
    expected = tag_of(headers_of(request.scope).get(b"if-match"))
    written = await service.restore_file(means, caller, project_id, data, expected)
    return slim.json(written.body, headers=((b"etag", b'"' + written.etag.encode() + b'"'),))


router = Router(
    "/api/v1/projects/{project_id:uuid}",
    route_handlers=[feed, file_feed, restore_file],
    tags=["History"],
)
