"""The HTTP face of invitations."""

from uuid import UUID

from litestar import Response, Router, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from common import answers
from common.answers import Answer, answer
from common.caller import Caller, needs
from common.database import Database
from common.idempotency import Keyed
from projects.invitations import service
from projects.invitations.schema import Invitation, NewInvitation
from projects.lifecycle.schema import Project
from projects.peers import Peers
from projects.settings import Settings

_BASE = "/api/v1/projects/{project_id:uuid}/invitations"
_WRITE = needs("projects:write", rate="write")


@get("/", opt=needs("projects:read"))
async def index(
    db: NamedDependency[Database], caller: NamedDependency[Caller], project_id: FromPath[UUID]
) -> Answer[list[Invitation]]:
    """List who is invited and has not come yet."""
    return answer(await service.index(db, caller, project_id))


@post("/", opt=_WRITE, middleware=[Keyed])
async def invite(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    peers: NamedDependency[Peers],
    caller: NamedDependency[Caller],
    project_id: FromPath[UUID],
    data: JSONBody[NewInvitation],
) -> Response[Answer[Invitation]]:
    """Invite somebody by e-mail; inviting them again sends another mail, with a new token."""
    made = await service.invite(db, settings, peers, caller, project_id, data)
    location = f"/api/v1/projects/{project_id}/invitations/{made.id}"
    return Response(answer(made), status_code=201, headers={"location": location})


@delete("/{invitation_id:uuid}", opt=_WRITE)
async def revoke(
    db: NamedDependency[Database],
    caller: NamedDependency[Caller],
    project_id: FromPath[UUID],
    invitation_id: FromPath[UUID],
) -> None:
    """Let an invitation be good no more."""
    await service.revoke(db, caller, project_id, invitation_id)


@post("/api/v1/invitations/{token:str}/accept", opt=needs(None, rate="write"), status_code=200)
async def accept(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    peers: NamedDependency[Peers],
    caller: NamedDependency[Caller],
    token: FromPath[str],
) -> Response[Answer[Project]]:
    """Come in by the token of a mail to one's own address."""
    return answers.raw(await service.accept(db, settings, peers, caller, token))


router = Router(_BASE, route_handlers=[index, invite, revoke], tags=["Invitations"])
acceptance = Router("/", route_handlers=[accept], tags=["Invitations"])
