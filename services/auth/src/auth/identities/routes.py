"""The HTTP face of identities: who one is elsewhere."""

from uuid import UUID

from litestar import Router, delete, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from auth.identities import service
from auth.identities.schema import Identity
from auth.sessions.service import Means
from common.answers import Answer, answer
from common.caller import Caller, needs
from common.database import Database


@get("/", opt=needs(None))
async def index(
    db: NamedDependency[Database], caller: NamedDependency[Caller]
) -> Answer[list[Identity]]:
    """List the other providers through which one logs in."""
    return answer(await service.index(db, caller))


@delete("/{identity_id:uuid}", opt=needs(None, rate="write"))
async def remove(
    db: NamedDependency[Database],
    means: NamedDependency[Means],
    caller: NamedDependency[Caller],
    identity_id: FromPath[UUID],
) -> None:
    """Log in through this provider no more; the last way in stays."""
    await service.remove(db, means, caller, identity_id)


router = Router("/api/v1/users/me/identities", route_handlers=[index, remove], tags=["Identities"])
