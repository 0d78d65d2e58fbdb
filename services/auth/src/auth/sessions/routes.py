"""The HTTP face of sessions."""

from typing import Annotated
from uuid import UUID

from litestar import Request, Response, Router, delete, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.types import Scope

from auth.accounts.schema import Registration
from auth.bodies import sent
from auth.delivery import CSRF_COOKIE, PATH, REFRESH_COOKIE, device, expired_cookies, granted
from auth.errors import CsrfError
from auth.sessions import service
from auth.sessions.schema import Credentials, LogoutScope, Refresh, Session, Tokens
from auth.sessions.service import Means, Proof
from common.answers import Answer, answer
from common.caller import Caller, caller_of, needs
from common.database import Database
from common.errors import UnauthenticatedError

_STRICT = needs(None, anonymous=True, rate="strict")


@post("/register", opt=_STRICT)
async def register(
    scope: Scope,
    db: NamedDependency[Database],
    means: NamedDependency[Means],
    data: JSONBody[Registration],
) -> Response[Answer[Tokens]]:
    """Make an account and log it in."""
    grant = await service.register(db, means, data, device(scope))
    in_body = data.token_delivery == "body"
    response = granted(means.settings, grant, in_body=in_body, status=201)
    response.headers["location"] = "/api/v1/users/me"
    return response


@post("/login", opt=_STRICT, status_code=200)
async def login(
    scope: Scope,
    db: NamedDependency[Database],
    means: NamedDependency[Means],
    data: JSONBody[Credentials],
) -> Response[Answer[Tokens]]:
    """Log in with an e-mail or a username, and a password."""
    grant = await service.login(db, means, data, device(scope))
    return granted(means.settings, grant, in_body=data.token_delivery == "body")


@post("/refresh", opt=needs(None, anonymous=True, rate="write", body=Refresh), status_code=200)
async def refresh(
    request: Request[object, object, State],
    db: NamedDependency[Database],
    means: NamedDependency[Means],
) -> Response[Answer[Tokens]]:
    """Exchange a refresh token (the cookie's, or the body's) for the next pair."""
    proof = _proof(request, means, await sent(request, means.settings.body_bytes_max, Refresh))
    grant = await service.refresh(db, means, proof)
    return granted(means.settings, grant, in_body=proof.in_body)


@post(
    "/logout",
    opt=needs(None, anonymous=True, rate="write", body=Refresh),
    status_code=204,
    responses={204: ResponseSpec(None, description="The sessions are over.")},
)
async def logout(
    request: Request[object, object, State],
    db: NamedDependency[Database],
    means: NamedDependency[Means],
    scope_: Annotated[LogoutScope, QueryParameter(name="scope")] = "this",
) -> Response[None]:
    """End this session, or all, or all others; with the access token or the refresh token."""
    caller = caller_of(request.scope)
    body = await sent(request, means.settings.body_bytes_max, Refresh)
    if caller.is_known:
        session_id = UUID(caller.session_id) if caller.session_id else None
        await service.logout(db, caller.user_id, session_id, scope_)
    else:
        await service.leave(db, _proof(request, means, body), scope_)
    return Response(None, status_code=204, cookies=expired_cookies(means.settings))


@get("/sessions", opt=needs(None))
async def index(
    db: NamedDependency[Database], caller: NamedDependency[Caller]
) -> Answer[list[Session]]:
    """List where one is logged in."""
    return answer(await service.index(db, caller))


@delete("/sessions/{session_id:uuid}", opt=needs(None, rate="write"))
async def remove(
    db: NamedDependency[Database], caller: NamedDependency[Caller], session_id: FromPath[UUID]
) -> None:
    """End one of one's sessions."""
    await service.remove(db, caller, session_id)


def _proof(request: Request[object, object, State], means: Means, body: Refresh) -> Proof:
    """The refresh token of the body, or the cookie's, which needs the CSRF token beside it."""
    if body.refresh_token is not None:
        return Proof(body.refresh_token, in_body=True)
    cookie = request.cookies.get(REFRESH_COOKIE)
    if cookie is None:
        raise UnauthenticatedError("There is no refresh token.")
    if _has_twins(request):
        raise CsrfError("A cookie came twice: another page of this site has set one of them.")
    given = request.headers.get("x-csrf-token", "")
    page_of = means.vault.csrf_session(given)
    # what another site may send or plant is neither header nor signed
    if page_of is None or given != request.cookies.get(CSRF_COOKIE):
        raise CsrfError("Send the CSRF token as X-CSRF-Token beside the cookie.")
    return Proof(cookie, in_body=False, page_of=page_of)


def _has_twins(request: Request[object, object, State]) -> bool:
    """Whether a cookie of ours came twice; a browser does not say which of them is ours."""
    pairs = ";".join(request.headers.getall("cookie", [])).split(";")
    names = [pair.partition("=")[0].strip() for pair in pairs]
    return max(names.count(REFRESH_COOKIE), names.count(CSRF_COOKIE)) > 1


router = Router(
    PATH, route_handlers=[register, login, refresh, logout, index, remove], tags=["Sessions"]
)
