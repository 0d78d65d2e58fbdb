"""The HTTP face of tickets."""

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from auth.settings import Settings
from auth.tickets import service
from auth.tickets.schema import Holder, Presented, Ticket
from common.answers import Answer, answer
from common.caller import Caller, needs
from common.database import Database


@post("/api/v1/auth/ws-ticket", opt=needs(None, rate="write"), tags=["Tokens"])
async def issue(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    caller: NamedDependency[Caller],
) -> Response[Answer[Ticket]]:
    """Get a ticket for one socket."""
    ticket = await service.issue(db, settings, caller)
    return Response(answer(ticket), status_code=201, headers={"cache-control": "no-store"})


@post("/internal/ws-tickets/redeem", status_code=200, include_in_schema=False)
async def redeem(db: NamedDependency[Database], data: JSONBody[Presented]) -> Holder:
    """Tell the fleet whose ticket it is, once."""
    return await service.redeem(db, data.ticket)
