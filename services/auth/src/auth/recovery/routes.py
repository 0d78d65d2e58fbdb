"""The HTTP face of getting another password."""

from litestar import Router, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import JSONBody

from auth.accounts.schema import User
from auth.addresses.schema import Accepted
from auth.recovery import service
from auth.recovery.schema import Change, Forgotten, Reset
from auth.sessions.service import Means
from common.answers import Answer, answer
from common.caller import Caller, needs
from common.database import Database

_STRICT = needs(None, anonymous=True, rate="strict")


@post("/forgot", opt=_STRICT, status_code=202)
async def forgot(
    db: NamedDependency[Database], means: NamedDependency[Means], data: JSONBody[Forgotten]
) -> Answer[Accepted]:
    """Have a token sent by mail; nobody learns whether the address is an account's."""
    await service.forgot(db, means, data.email)
    return answer(Accepted())


@post("/reset", opt=_STRICT, status_code=200)
async def reset(
    db: NamedDependency[Database], means: NamedDependency[Means], data: JSONBody[Reset]
) -> Answer[User]:
    """Set a password with the token that came by mail, once; it ends every session."""
    return answer(await service.reset(db, means, data))


@post(
    "/change",
    opt=needs(None, rate="strict"),
    status_code=204,
    responses={204: ResponseSpec(None, description="It is changed; other sessions are over.")},
)
async def change(
    db: NamedDependency[Database],
    means: NamedDependency[Means],
    caller: NamedDependency[Caller],
    data: JSONBody[Change],
) -> None:
    """Set another password, and stay in this session alone."""
    await service.change(db, means, caller, data)


router = Router("/api/v1/auth/password", route_handlers=[forgot, reset, change], tags=["Sessions"])
