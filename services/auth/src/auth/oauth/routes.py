"""The HTTP face of logging in through another provider."""

from typing import Annotated

from litestar import MediaType, Request, Response, Router, get
from litestar.datastructures import Cookie, State
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, FromQuery, QueryParameter

from auth.delivery import PATH, device, granted, granted_cookies
from auth.oauth import service
from auth.oauth.party import RelyingParty
from auth.oauth.schema import Listed
from auth.oauth.types import Returned
from auth.sessions.schema import Tokens
from auth.sessions.service import Grant
from auth.settings import Settings
from common import slim
from common.answers import Answer, answer
from common.caller import needs
from common.database import Database

_BASE = f"{PATH}/oauth"
_COOKIE = "wl_oauth"
_STRICT = needs(None, anonymous=True, rate="strict")


@get("/", opt=needs(None, anonymous=True))
async def index(
    db: NamedDependency[Database], party: NamedDependency[RelyingParty]
) -> Answer[list[Listed]]:
    """List the providers that one may log in through."""
    return answer(await service.index(db, party))


@get(
    "/{provider:str}/authorize",
    opt=_STRICT,
    status_code=302,
    responses={302: ResponseSpec(None, description="To the provider's page.")},
)
async def authorize(
    request: Request[object, object, State],
    db: NamedDependency[Database],
    party: NamedDependency[RelyingParty],
    provider: FromPath[str],
    redirect_to: Annotated[str | None, QueryParameter(name="redirectTo")] = None,
) -> Response[bytes]:
    """Begin to log in through another provider: a browser follows this link.

    ``redirectTo`` is a page that the operator allows; it is told of the end.
    """
    begun = await service.begin(db, party, provider, redirect_to, request.cookies.get(_COOKIE, ""))
    return _redirect(302, begun.url, [_cookie(party.means.settings, begun.browser)])


@get(
    "/{provider:str}/callback",
    opt=_STRICT,
    responses={
        **slim.documented(Tokens, description="The login, where no page waits for it."),
        303: ResponseSpec(None, description="To the page that ``redirectTo`` named."),
    },
)
async def callback(
    request: Request[object, object, State],
    db: NamedDependency[Database],
    party: NamedDependency[RelyingParty],
    provider: FromPath[str],
    state_: Annotated[str, QueryParameter(name="state")] = "",
    code: FromQuery[str | None] = None,
    error: FromQuery[str | None] = None,
    iss: FromQuery[str | None] = None,
) -> Response[Answer[Tokens]] | Response[bytes]:
    """Come back from the provider. Answers as a login does, or leads to the page that waits.

    The page finds the cookies of a session, has ``#csrfToken=`` in its address, and asks for its
    tokens (``POST /auth/refresh``); or it has ``?error=`` and the failure's code.
    """
    done = await service.finish(
        db,
        party,
        provider,
        Returned(state_, code, error, iss),
        request.cookies.get(_COOKIE, ""),
        device(request.scope),
    )
    if isinstance(done, Grant):
        return granted(party.means.settings, done, in_body=False)
    cookies = granted_cookies(party.means.settings, done.grant) if done.grant else []
    return _redirect(303, done.page, cookies)


def _redirect(status: int, url: str, cookies: list[Cookie]) -> Response[bytes]:
    headers = {"location": url, "cache-control": "no-store"}
    return Response(
        b"", status_code=status, headers=headers, cookies=cookies, media_type=MediaType.TEXT
    )


def _cookie(settings: Settings, browser: str) -> Cookie:
    """It comes along when the provider sends the browser back, which Strict would prevent."""
    return Cookie(
        key=_COOKIE,
        value=browser,
        path=_BASE,
        max_age=settings.oauth_flow_lifetime_s,
        httponly=True,
        secure=settings.are_cookies_secure,
        samesite="lax",
    )


router = Router(_BASE, route_handlers=[index, authorize, callback], tags=["Other providers"])
