"""The fleet's own door for invitations: projects keep them, and this service knows addresses."""

from litestar import Router, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from auth.invitations import service
from auth.invitations.schema import Claim, Claimant, Invitation, Sending
from auth.sessions.service import Means
from common.database import Database


@post("/", status_code=200)
async def send(
    db: NamedDependency[Database], means: NamedDependency[Means], data: JSONBody[Invitation]
) -> Sending:
    """Send somebody their invitation."""
    return await service.send(db, means.post, data)


@post("/claimant", status_code=200)
async def claimant(db: NamedDependency[Database], data: JSONBody[Claim]) -> Claimant:
    """Tell whose account it is, and whether an address is known to be theirs."""
    return await service.claimant(db, data)


router = Router("/internal/invitations", route_handlers=[send, claimant], include_in_schema=False)
