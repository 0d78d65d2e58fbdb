"""People log in with GitHub, through the gateway; GitHub itself is stood in for."""

from collections.abc import AsyncIterator

import httpx
import pytest
from services.auth.tests.elsewhere import callback_url, offer
from services.auth.tests.github import CLIENT, SECRET, GitHub, Member, address
from services.auth.tests.standin import standing_in

from common.ids import uuid7
from fleet.testing import Running

_AUTH = "/api/v1/auth"
# so that the strict class counts these logins beside those of the other tests
_ADDRESS = "127.0.9.2"


@pytest.fixture(scope="module")
async def github(
    fleet_up: Running, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[GitHub]:
    """A GitHub that knows nobody yet, set as an operator does."""
    told = fleet_up.env("auth")
    async with standing_in() as site:
        options = ("--site", site.url, "--api", f"{site.url}/api/v3", "--client-id", CLIENT)
        folder = tmp_path_factory.mktemp("secrets")
        done = await offer(told, folder, "github", SECRET, *options)
        assert done.code == 0, done.err
        yield GitHub(site, callback_url(told)("github"))


@pytest.fixture
async def browser(fleet_up: Running) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that nobody has used."""
    transport = httpx.AsyncHTTPTransport(local_address=_ADDRESS)
    url = fleet_up.gateway_url
    async with httpx.AsyncClient(base_url=url, timeout=30, transport=transport) as client:
        yield client


def _octo(github: GitHub) -> Member:
    number = uuid7().int % 2**52
    login = f"octo-{number}"
    octo = Member(number, login, [address(f"{login}@example.org")], name="Octo Cat")
    github.knows(octo)
    return octo


async def _leads(browser: httpx.AsyncClient, github: GitHub, login: str) -> str:
    answer = await browser.get(f"{_AUTH}/oauth/github/authorize")
    assert answer.status_code == 302, answer.text
    return github.agrees(answer.headers["location"], login)


async def _outcome(browser: httpx.AsyncClient, url: str) -> tuple[int, str]:
    answer = await browser.get(url)
    assert "set-cookie" not in answer.headers
    return answer.status_code, answer.json()["error"]["code"]


async def test_who_has_an_account_at_github_has_one_here(
    gateway, github: GitHub, browser: httpx.AsyncClient
) -> None:
    octo = _octo(github)
    listed = await gateway.get(f"{_AUTH}/oauth")
    assert {"name": "github", "kind": "github"} in listed.json()["data"]
    answer = await browser.get(await _leads(browser, github, octo.login))
    assert answer.status_code == 200, answer.text
    data = answer.json()["data"]
    user = data["user"]
    assert (user["username"], user["displayName"]) == (octo.login, "Octo Cat")
    assert (user["email"], user["emailVerified"]) == (f"{octo.login}@example.org", True)
    headers = {"authorization": f"Bearer {data['accessToken']}"}
    assert (await gateway.get("/api/v1/users/me", headers=headers)).json()["data"] == user
    found = await gateway.get("/api/v1/users/me/identities", headers=headers)
    assert [each["provider"] for each in found.json()["data"]] == ["github"]


async def test_a_code_is_good_once_and_in_one_browser(
    gateway, github: GitHub, browser: httpx.AsyncClient
) -> None:
    octo = _octo(github)
    url = await _leads(browser, github, octo.login)
    for who in (gateway, browser):
        # another browser brought it: it is over for everybody
        assert await _outcome(who, url) == (400, "OAUTH_STATE_INVALID")
    url = await _leads(browser, github, octo.login)
    assert (await browser.get(url)).status_code == 200
    assert await _outcome(browser, url) == (400, "OAUTH_STATE_INVALID")
    url = await _leads(browser, github, octo.login)
    # somebody else was quicker with the code
    octo.challenge = ""
    assert await _outcome(browser, url) == (400, "OAUTH_FAILED")
