"""The HTTP face of a project's people."""

from uuid import UUID

from litestar import Response, Router, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from common import answers
from common.answers import Answer, answer
from common.caller import Caller, needs
from common.database import Database
from common.idempotency import Keyed
from projects.lifecycle.schema import Project
from projects.members import service
from projects.members.schema import Member, NewMember, NewRole, Somebody
from projects.peers import Peers
from projects.settings import Settings

_BASE = "/api/v1/projects/{project_id:uuid}/collaborators"
_WRITE = needs("projects:write", rate="write")


@get("/", opt=needs("projects:read"))
async def index(
    db: NamedDependency[Database], caller: NamedDependency[Caller], project_id: FromPath[UUID]
) -> Answer[list[Member]]:
    """List who may enter."""
    return answer(await service.index(db, caller, project_id))


@post("/", opt=_WRITE, middleware=[Keyed])
async def add(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    peers: NamedDependency[Peers],
    caller: NamedDependency[Caller],
    project_id: FromPath[UUID],
    data: JSONBody[NewMember],
) -> Response[Answer[Member]]:
    """Let somebody in."""
    member = await service.add(db, settings, peers, caller, project_id, data)
    location = f"/api/v1/projects/{project_id}/collaborators/{member.user_id}"
    return Response(answer(member), status_code=201, headers={"location": location})


@patch("/{user_id:uuid}", opt=_WRITE)
async def promote(
    db: NamedDependency[Database],
    caller: NamedDependency[Caller],
    project_id: FromPath[UUID],
    user_id: FromPath[UUID],
    data: JSONBody[NewRole],
) -> Answer[Member]:
    """Give a member another role."""
    return answer(await service.promote(db, caller, project_id, user_id, data.role))


@delete("/{user_id:uuid}", opt=_WRITE)
async def remove(
    db: NamedDependency[Database],
    caller: NamedDependency[Caller],
    project_id: FromPath[UUID],
    user_id: FromPath[UUID],
) -> None:
    """Take a member out, or leave."""
    await service.remove(db, caller, project_id, user_id)


@post("/api/v1/projects/{project_id:uuid}/transfer", opt=_WRITE, status_code=200)
async def transfer(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    peers: NamedDependency[Peers],
    caller: NamedDependency[Caller],
    project_id: FromPath[UUID],
    data: JSONBody[Somebody],
) -> Response[Answer[Project]]:
    """Let another member own the project; the caller stays as an editor."""
    return answers.raw(await service.transfer(db, settings, peers, caller, project_id, data))


router = Router(_BASE, route_handlers=[index, add, promote, remove], tags=["Collaborators"])
transfers = Router("/", route_handlers=[transfer], tags=["Collaborators"])
