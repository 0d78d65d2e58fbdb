"""People log in through another provider: a certified one, and all the way through the gateway."""

import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest
from services.auth.tests import openid
from services.auth.tests.openid import OpenIdProvider

from common.ids import uuid7
from fleet.testing import EDITOR_PAGE, Running
from tests.e2e.conftest import eventually

_AUTH = "/api/v1/auth"
_ME = "/api/v1/users/me"
_NAME = "corp"
# so that the strict class counts these logins beside those of the other tests
_ADDRESS = "127.0.9.1"
_STATE_INVALID = (400, "OAUTH_STATE_INVALID")


class Browser:
    """Goes through the gateway and to the provider, with the cookies that each has set."""

    def __init__(self, here: httpx.AsyncClient, there: httpx.AsyncClient) -> None:
        self.here = here
        self.there = there

    async def leads(self, provider: OpenIdProvider, login: str, **query: str) -> str:
        """Click the button and log in at the provider; returns where that leads."""
        answer = await self.here.get(f"{_AUTH}/oauth/{_NAME}/authorize", params=query)
        assert answer.status_code == 302, answer.text
        return await provider.login(self.there, answer.headers["location"], login)

    async def log_in(self, provider: OpenIdProvider, login: str, **query: str) -> httpx.Response:
        """Log in as somebody who is known at the provider."""
        return await self.here.get(await self.leads(provider, login, **query))


type Browse = Callable[[], Awaitable[Browser]]


@pytest.fixture
async def browse(fleet_up: Running) -> AsyncIterator[Browse]:
    """A way to open browsers that nobody has used."""
    async with AsyncExitStack() as stack:

        async def opened() -> Browser:
            transport = httpx.AsyncHTTPTransport(local_address=_ADDRESS)
            here = httpx.AsyncClient(base_url=fleet_up.gateway_url, timeout=30, transport=transport)
            there = httpx.AsyncClient(timeout=30)
            return Browser(
                await stack.enter_async_context(here), await stack.enter_async_context(there)
            )

        yield opened


@pytest.fixture(scope="module")
async def provider(
    fleet_up: Running, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[OpenIdProvider]:
    """The provider, as an operator sets it."""
    callback = f"{fleet_up.gateway_url}{_AUTH}/oauth/{_NAME}/callback"
    async with openid.running([callback], terse=False) as made:
        file = tmp_path_factory.mktemp("secrets") / "secret"
        file.write_text(openid.secret_of(openid.CLIENT), encoding="utf-8")
        options = ("--issuer", made.issuer, "--client-id", openid.CLIENT)
        command = (sys.executable, "-m", "auth", "set-provider", _NAME, *options)
        done = subprocess.run(  # noqa: ASYNC221, S603 - once, and a command of ours
            (*command, "--secret-file", str(file)),
            env=fleet_up.env("auth"),
            capture_output=True,
            text=True,
            check=True,
        )
        # what the operator has to tell the provider
        assert callback in done.stdout
        async with httpx.AsyncClient(base_url=fleet_up.gateway_url) as client:

            async def is_offered() -> bool:
                listed = (await client.get(f"{_AUTH}/oauth")).json()["data"]
                return _NAME in {each["name"] for each in listed}

            # what the service knew a moment ago it believes for a moment
            await eventually(is_offered)
        yield made


@pytest.fixture
async def ann(provider: OpenIdProvider) -> tuple[str, str]:
    """Somebody who is known at the provider: their login there, and their address."""
    login = f"ann-{uuid7().hex[-12:]}"
    email = f"{login}@example.org"
    await provider.knows(
        login, email=email, email_verified=True, name="Ann", preferred_username=login
    )
    return login, email


def _code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def _session(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def _bearer(data: dict[str, Any]) -> dict[str, str]:
    return {"authorization": f"Bearer {data['accessToken']}"}


async def test_somebody_logs_in_through_a_provider(
    gateway, browse: Browse, provider: OpenIdProvider, ann: tuple[str, str]
) -> None:
    login, email = ann
    listed = await gateway.get(f"{_AUTH}/oauth")
    assert {"name": _NAME, "kind": "oidc"} in listed.json()["data"]
    browser = await browse()
    data = _session(await browser.log_in(provider, login))
    assert (data["user"]["email"], data["user"]["emailVerified"]) == (email, True)
    assert (data["user"]["username"], data["user"]["displayName"]) == (login, "Ann")
    # the token is one like any other
    me = await gateway.get(_ME, headers=_bearer(data))
    assert me.json()["data"] == data["user"]
    made = await gateway.post("/api/v1/projects", json={"name": "Game"}, headers=_bearer(data))
    assert made.status_code == 201
    [identity] = (await gateway.get(f"{_ME}/identities", headers=_bearer(data))).json()["data"]
    assert identity["provider"] == _NAME
    # as a browser's session like any other
    refused = await browser.here.post(f"{_AUTH}/refresh")
    assert _code(refused) == (403, "CSRF_FAILED")
    csrf = {"x-csrf-token": data["csrfToken"]}
    refreshed = _session(await browser.here.post(f"{_AUTH}/refresh", headers=csrf))
    assert refreshed["user"]["id"] == data["user"]["id"]
    # another browser of theirs, the same account; and it is their only way in
    other = await browse()
    again = _session(await other.log_in(provider, login))
    assert again["user"]["id"] == data["user"]["id"]
    path = f"{_ME}/identities/{identity['id']}"
    last = await gateway.delete(path, headers=_bearer(again))
    assert _code(last) == (409, "CONFLICT")


async def test_a_login_ends_in_the_browser_in_which_it_began_and_once(
    browse: Browse, provider: OpenIdProvider, ann: tuple[str, str]
) -> None:
    login, _ = ann
    browser, other = await browse(), await browse()
    url = await browser.leads(provider, login)
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    for instead in ({}, {"state": "x" * 43}, {"state": ""}):
        changed = {k: v for k, v in query.items() if k != "state"} | instead
        answer = await browser.here.get(parts._replace(query=urlencode(changed)).geturl())
        assert _code(answer) == _STATE_INVALID
        assert "set-cookie" not in answer.headers
    _session(await browser.here.get(url))
    assert _code(await browser.here.get(url)) == _STATE_INVALID
    url = await browser.leads(provider, login)
    assert _code(await other.here.get(url)) == _STATE_INVALID
    assert not other.here.cookies


async def test_a_code_needs_its_verifier_and_a_page_its_place_on_the_list(
    browse: Browse, provider: OpenIdProvider, ann: tuple[str, str]
) -> None:
    login, _ = ann
    browser, other = await browse(), await browse()
    stolen = dict(parse_qsl(urlsplit(await other.leads(provider, login)).query))["code"]
    parts = urlsplit(await browser.leads(provider, login))
    query = dict(parse_qsl(parts.query)) | {"code": stolen}
    answer = await browser.here.get(parts._replace(query=urlencode(query)).geturl())
    assert _code(answer) == (400, "OAUTH_FAILED")
    assert "set-cookie" not in answer.headers
    path = f"{_AUTH}/oauth/{_NAME}/authorize"
    refused = await browser.here.get(path, params={"redirectTo": "https://evil.example.org/"})
    assert _code(refused) == (400, "VALIDATION_ERROR")
    assert [each["field"] for each in refused.json()["error"]["details"]] == ["redirectTo"]


async def test_a_page_that_is_listed_is_led_to_and_has_a_session(
    gateway, browse: Browse, provider: OpenIdProvider, ann: tuple[str, str]
) -> None:
    login, email = ann
    browser = await browse()
    answer = await browser.log_in(provider, login, redirectTo=EDITOR_PAGE)
    page, _, fragment = answer.headers["location"].partition("#")
    assert (answer.status_code, page) == (303, EDITOR_PAGE)
    csrf = {"x-csrf-token": dict(parse_qsl(fragment))["csrfToken"]}
    data = _session(await browser.here.post(f"{_AUTH}/refresh", headers=csrf))
    assert data["user"]["email"] == email
    me = await gateway.get(_ME, headers=_bearer(data))
    assert me.json()["data"] == data["user"]
    # and of a failure it is told
    url = await browser.leads(provider, login, redirectTo=EDITOR_PAGE)
    parts = urlsplit(url)
    spoilt = urlencode(dict(parse_qsl(parts.query)) | {"code": "x"})
    failed = await browser.here.get(parts._replace(query=spoilt).geturl())
    told = f"{EDITOR_PAGE}?error=OAUTH_FAILED"
    assert (failed.status_code, failed.headers["location"]) == (303, told)


async def test_whoever_registered_with_an_address_first_is_out_when_its_owner_comes(
    person, gateway, browse: Browse, provider: OpenIdProvider
) -> None:
    mallory = await person()
    assert (await mallory.client.get(_ME)).status_code == 200
    made = await mallory.client.post(
        f"{_AUTH}/api-keys", json={"name": "later", "scopes": ["users:read"]}
    )
    key = {"x-api-key": made.json()["data"]["key"]}
    assert (await gateway.get(_ME, headers=key)).status_code == 200
    login = f"ann-{uuid7().hex[-12:]}"
    email = f"{mallory.username}@example.org"
    await provider.knows(login, email=email, email_verified=True, name="Ann")
    browser = await browse()
    data = _session(await browser.log_in(provider, login))
    assert data["user"]["id"] == mallory.user_id
    # her access token has not expired, and opens nothing
    assert _code(await mallory.client.get(_ME)) == (401, "UNAUTHENTICATED")
    assert _code(await gateway.get(_ME, headers=key)) == (401, "UNAUTHENTICATED")
    sends = {"refreshToken": mallory.refresh_token}
    assert (await browser.here.post(f"{_AUTH}/refresh", json=sends)).status_code == 401
    login_again = {"login": email, "password": "correct horse"}
    refused = await browser.here.post(f"{_AUTH}/login", json=login_again)
    assert _code(refused) == (401, "INVALID_CREDENTIALS")
    me = (await browser.here.get(_ME, headers=_bearer(data))).json()["data"]
    assert (me["displayName"], me["emailVerified"]) == ("Ann", True)
