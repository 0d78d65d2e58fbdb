"""The HTTP face of chats."""

from uuid import UUID

from litestar import Response, Router, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from collab import feeds
from collab.chat import service
from collab.chat.schema import Message, NewMessage, ReadUpTo, Unread
from collab.peers import Projects
from common.answers import LIMIT_MAX, Answer, Cursor, Feed, PageLimit, answer
from common.caller import Caller, needs
from common.database import Database
from common.idempotency import Keyed

_FEED = "chat"
_READ = needs("projects:read", rate="read")
_WRITE = needs("projects:write", rate="write")


@post("/", opt=_WRITE, middleware=[Keyed])
async def create(
    db: NamedDependency[Database],
    caller: NamedDependency[Caller],
    projects: NamedDependency[Projects],
    project_id: FromPath[UUID],
    data: JSONBody[NewMessage],
) -> Response[Answer[Message]]:
    """Say something to the project's members."""
    made = await service.post(db, projects.access, project_id, caller.user_id, data)
    return Response(answer(made), status_code=201)


@get("/", opt=_READ)
async def index(
    db: NamedDependency[Database],
    caller: NamedDependency[Caller],
    projects: NamedDependency[Projects],
    project_id: FromPath[UUID],
    cursor: Cursor = None,
    limit: PageLimit = 50,
) -> Feed[Message]:
    """List what was said, the newest first."""
    asked, before = min(limit, LIMIT_MAX), feeds.position(cursor, _FEED, project_id)
    rows = await service.index(db, projects.access, project_id, caller.user_id, before, asked)
    return feeds.fed(rows, asked, lambda row: row.number, _FEED, project_id)


@get("/unread", opt=_READ)
async def unread(
    db: NamedDependency[Database],
    caller: NamedDependency[Caller],
    projects: NamedDependency[Projects],
    project_id: FromPath[UUID],
) -> Answer[Unread]:
    """Count what the caller has not read."""
    return answer(await service.unread(db, projects.access, project_id, caller.user_id))


@put("/read", opt=needs("projects:read", rate="write"))
async def read(
    db: NamedDependency[Database],
    caller: NamedDependency[Caller],
    projects: NamedDependency[Projects],
    project_id: FromPath[UUID],
    data: JSONBody[ReadUpTo],
) -> Answer[Unread]:
    """Say up to which message the caller has read; what was read stays read."""
    found = await service.read(db, projects.access, project_id, caller.user_id, data.message_id)
    return answer(found)


router = Router(
    "/api/v1/projects/{project_id:uuid}/chat",
    route_handlers=[create, index, unread, read],
    tags=["Chat"],
)
