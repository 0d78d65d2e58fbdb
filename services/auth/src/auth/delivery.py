"""How what a login gives travels: browsers keep the refresh token in a cookie no script sees."""

from litestar import Response
from litestar.datastructures import Cookie
from litestar.types import Scope

from auth.sessions import service
from auth.sessions.schema import Tokens
from auth.sessions.service import Device, Grant
from auth.settings import Settings
from common.answers import Answer, answer
from common.caller import headers_of

PATH = "/api/v1/auth"
REFRESH_COOKIE = "wl_refresh"
CSRF_COOKIE = "wl_csrf"


def device(scope: Scope) -> Device:
    """Where a request comes from, as the gateway and the browser say."""
    headers = headers_of(scope)
    agent = headers.get(b"user-agent", b"").decode("utf-8", "replace").replace("\0", "")
    return Device(headers.get(b"x-envoy-external-address", b"").decode("latin-1"), agent)


def granted(
    settings: Settings, grant: Grant, *, in_body: bool, status: int = 200
) -> Response[Answer[Tokens]]:
    """Answer with what was granted."""
    cookies = [] if in_body else granted_cookies(settings, grant)
    headers = {"cache-control": "no-store"}
    body = answer(service.tokens(grant, in_body=in_body))
    return Response(body, status_code=status, cookies=cookies, headers=headers)


def granted_cookies(settings: Settings, grant: Grant) -> list[Cookie]:
    """The cookies of a session: its refresh token, and what its page shows beside that."""
    age = settings.session_lifetime_s
    return _cookies(settings, grant.refresh_token, grant.csrf_token, age=age)


def expired_cookies(settings: Settings) -> list[Cookie]:
    """The same cookies, to be forgotten."""
    return _cookies(settings, "", "", age=0)


def _cookies(settings: Settings, refresh_token: str, csrf: str, *, age: int) -> list[Cookie]:
    secure = settings.are_cookies_secure
    refresh_cookie = Cookie(
        key=REFRESH_COOKIE,
        value=refresh_token,
        path=PATH,
        max_age=age,
        httponly=True,
        secure=secure,
        samesite="strict",
    )
    csrf_cookie = Cookie(
        key=CSRF_COOKIE,
        value=csrf,
        path="/",
        max_age=age,
        httponly=False,
        secure=secure,
        samesite="strict",
    )
    return [refresh_cookie, csrf_cookie]
