"""The HTTP face of accounts."""

from litestar import Response, Router, delete, get, patch
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, FromQuery, JSONBody

from auth.accounts import service
from auth.accounts.schema import AccountName, Profile, PublicUser, User
from auth.addresses import service as addresses
from auth.delivery import expired_cookies
from auth.removal import service as removal
from auth.sessions.service import Means
from common.answers import Answer, answer
from common.caller import Caller, needs
from common.database import Database


@get(["/users/me", "/auth/me"], opt=needs("users:read"))
async def me(db: NamedDependency[Database], caller: NamedDependency[Caller]) -> Answer[User]:
    """Show one's own account."""
    return answer(await service.me(db, caller))


@patch("/users/me", opt=needs(None, rate="write"))
async def change(
    db: NamedDependency[Database],
    means: NamedDependency[Means],
    caller: NamedDependency[Caller],
    data: JSONBody[Profile],
) -> Answer[User]:
    """Change what is named of one's own account.

    An ``email`` needs the ``currentPassword``; the account keeps its address until the token that
    goes to the new one is shown to ``POST /auth/verify``.
    """
    return answer(await addresses.change(db, means, caller, data))


@delete(
    "/users/me",
    opt=needs(None, rate="write"),
    status_code=204,
    responses={204: ResponseSpec(None, description="The account is gone.")},
)
async def remove(
    db: NamedDependency[Database],
    means: NamedDependency[Means],
    caller: NamedDependency[Caller],
) -> Response[None]:
    """Delete one's own account, for good: its sessions end, and its projects go to the trash.

    Projects that somebody else owns too stay, without their member.
    """
    await removal.remove(db, caller)
    return Response(None, status_code=204, cookies=expired_cookies(means.settings))


@get("/users/{username:str}", opt=needs("users:read", anonymous=True))
async def show(
    db: NamedDependency[Database],
    caller: NamedDependency[Caller],  # noqa: ARG001 - it holds an API key to its scopes
    username: FromPath[str],
) -> Answer[PublicUser]:
    """Show what everybody may see of an account."""
    return answer(await service.public(db, username))


@get("/internal/accounts", include_in_schema=False)
async def name(db: NamedDependency[Database], login: FromQuery[str]) -> AccountName:
    """Tell the fleet who an e-mail, a username or an id is."""
    return await service.name(db, login)


router = Router("/api/v1", route_handlers=[me, change, remove, show], tags=["Accounts"])
