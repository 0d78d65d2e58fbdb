"""The HTTP face of e-mail addresses."""

from litestar import Router, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from auth.accounts.schema import User
from auth.addresses import service
from auth.addresses.schema import Accepted, Resend, Verification
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


@post("/verify/resend", opt=needs(None, anonymous=True, rate="strict"), status_code=202)
async def resend(
    db: NamedDependency[Database],
    means: NamedDependency[Means],
    caller: NamedDependency[Caller],
    data: JSONBody[Resend],
) -> Answer[Accepted]:
    """Have another mail sent to an address that is not verified; nobody learns whether it was."""
    await service.resend(db, means, caller, data)
    return answer(Accepted())


router = Router("/api/v1/auth", route_handlers=[verify, resend], tags=["Accounts"])
