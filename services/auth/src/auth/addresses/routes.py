"""The HTTP face of e-mail addresses."""

from litestar import Request, Router, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import JSONBody

from auth.accounts.schema import User
from auth.addresses import service
from auth.addresses.schema import Accepted, Resend, Verification
from auth.bodies import sent
from auth.sessions.service import Means
from common.answers import Answer, answer
from common.caller import Caller, needs
from common.database import Database


@post("/verify", opt=needs(None, anonymous=True, rate="strict"), status_code=200)
async def verify(
    db: NamedDependency[Database], means: NamedDependency[Means], data: JSONBody[Verification]
) -> Answer[User]:
    """Confirm an e-mail address with the token that came to it, once."""
    return answer(await service.verify(db, means, data.token))


@post(
    "/verify/resend",
    opt=needs(None, anonymous=True, rate="strict", body=Resend),
    status_code=202,
)
async def resend(
    request: Request[object, object, State],
    db: NamedDependency[Database],
    means: NamedDependency[Means],
    caller: NamedDependency[Caller],
) -> Answer[Accepted]:
    """Have another mail sent to an address that is not verified; nobody learns whether it was."""
    body = await sent(request, means.settings.body_bytes_max, Resend)
    await service.resend(db, means, caller, body)
    return answer(Accepted())


router = Router("/api/v1/auth", route_handlers=[verify, resend], tags=["Accounts"])
