"""The HTTP face of comments."""

from typing import Annotated
from uuid import UUID

from litestar import Response, Router, delete, get, patch, post, put
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, JSONBody, QueryParameter

from collab import feeds
from collab.comments import service
from collab.comments.opening import FewAtOnce, apart
from collab.comments.schema import (
    Comment,
    CommentChanges,
    CommentsReadUpTo,
    NewComment,
    NewReply,
    UnreadComments,
)
from collab.comments.types import Means, Wanted
from collab.documents import service as documents
from collab.documents.schema import Opened, WantedOpen
from collab.links.desk import Desk
from collab.peers import Projects
from common.answers import LIMIT_MAX, Answer, Cursor, Feed, PageLimit, answer
from common.caller import Caller, needs
from common.database import Database
from common.idempotency import Keyed

_READ = needs("projects:read", rate="read")
_MARK = needs("projects:read", rate="write")
_WRITE = needs("projects:write", rate="write")
_FEED, _REPLIES = "comments", "replies"
PathFilter = Annotated[str | None, QueryParameter(name="path", max_length=500)]
ResolvedFilter = Annotated[bool | None, QueryParameter(name="resolved")]


async def _means(
    state: State, db: NamedDependency[Database], projects: NamedDependency[Projects]
) -> Means:
    desk: Desk = state.desk

    async def opened(project_id: UUID, wanted: WantedOpen) -> Opened:
        async def here() -> Opened:
            return await documents.opened(desk.library, project_id, wanted)

        return await apart(lambda: desk.ask(project_id, "open", wanted, Opened, here))

    return Means(db, projects.access, opened, desk.library.means.workshop)


@post("/", opt=_WRITE, middleware=[FewAtOnce, Keyed])
async def create(
    means: NamedDependency[Means],
    caller: NamedDependency[Caller],
    project_id: FromPath[UUID],
    data: JSONBody[NewComment],
) -> Response[Answer[Comment]]:
    """Say something about a stretch of a file."""
    made = await service.create(means, project_id, caller.user_id, data)
    return _created(made)


@get("/", opt=_READ)
async def index(
    means: NamedDependency[Means],
    caller: NamedDependency[Caller],
    project_id: FromPath[UUID],
    path: PathFilter = None,
    resolved: ResolvedFilter = None,
    cursor: Cursor = None,
    limit: PageLimit = 50,
) -> Feed[Comment]:
    """List comments with their newest replies and where they are now, the newest first."""
    asked, before = min(limit, LIMIT_MAX), feeds.position(cursor, _FEED, project_id)
    wanted = Wanted(project_id, path, resolved, before, asked + 1)
    rows = await service.index(means, caller.user_id, wanted)
    return feeds.fed(rows, asked, lambda row: row.number, _FEED, project_id)


@get("/unread", opt=_READ)
async def unread(
    means: NamedDependency[Means], caller: NamedDependency[Caller], project_id: FromPath[UUID]
) -> Answer[UnreadComments]:
    """Count what others said that the caller has not read."""
    return answer(await service.unread(means, project_id, caller.user_id))


@put("/read", opt=_MARK)
async def read(
    means: NamedDependency[Means],
    caller: NamedDependency[Caller],
    project_id: FromPath[UUID],
    data: JSONBody[CommentsReadUpTo],
) -> Answer[UnreadComments]:
    """Say up to which comment the caller has read; what was read stays read."""
    return answer(await service.read(means, project_id, caller.user_id, data.comment_id))


@get("/", opt=_READ)
async def show(
    means: NamedDependency[Means], caller: NamedDependency[Caller], comment_id: FromPath[UUID]
) -> Answer[Comment]:
    """Show a comment."""
    return answer(await service.show(means, caller, comment_id))


@patch("/", opt=_WRITE)
async def change(
    means: NamedDependency[Means],
    caller: NamedDependency[Caller],
    comment_id: FromPath[UUID],
    data: JSONBody[CommentChanges],
) -> Answer[Comment]:
    """Let a comment say something else, or be resolved or open again."""
    return answer(await service.change(means, caller, comment_id, data))


@delete("/", opt=_WRITE)
async def remove(
    means: NamedDependency[Means], caller: NamedDependency[Caller], comment_id: FromPath[UUID]
) -> None:
    """Take a comment away, with the replies to it."""
    await service.delete(means, caller, comment_id)


@post("/replies", opt=_WRITE, middleware=[Keyed])
async def reply(
    means: NamedDependency[Means],
    caller: NamedDependency[Caller],
    comment_id: FromPath[UUID],
    data: JSONBody[NewReply],
) -> Response[Answer[Comment]]:
    """Say something about a comment."""
    return _created(await service.reply(means, caller, comment_id, data))


@get("/replies", opt=_READ)
async def replies(
    means: NamedDependency[Means],
    caller: NamedDependency[Caller],
    comment_id: FromPath[UUID],
    cursor: Cursor = None,
    limit: PageLimit = 50,
) -> Feed[Comment]:
    """List the replies to a comment, the newest first."""
    asked, before = min(limit, LIMIT_MAX), feeds.position(cursor, _REPLIES, comment_id)
    rows = await service.replies(means, caller, comment_id, before, asked + 1)
    return feeds.fed(rows, asked, lambda row: row.number, _REPLIES, comment_id)


@post("/resolve", opt=_WRITE, middleware=[Keyed], status_code=200)
async def resolve(
    means: NamedDependency[Means],
    caller: NamedDependency[Caller],
    comment_id: FromPath[UUID],
) -> Answer[Comment]:
    """Say that what a comment was about is done."""
    return answer(await service.change(means, caller, comment_id, CommentChanges(resolved=True)))


def _created(made: Comment) -> Response[Answer[Comment]]:
    headers = {"location": f"/api/v1/comments/{made.id}"}
    return Response(answer(made), status_code=201, headers=headers)


router = Router(
    "/api/v1",
    route_handlers=[
        Router(
            "/projects/{project_id:uuid}/comments", route_handlers=[create, index, unread, read]
        ),
        Router(
            "/comments/{comment_id:uuid}",
            route_handlers=[show, change, remove, reply, replies, resolve],
        ),
    ],
    dependencies={"means": Provide(_means)},
    tags=["Comments"],
)
