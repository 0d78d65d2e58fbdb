"""Logging in with GitHub, which has no ID tokens and says by its API who somebody is."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import sqlalchemy as sa
from services.auth.tests.browser import Browser, browsing, whose
from services.auth.tests.desk import Desk, code
from services.auth.tests.elsewhere import callback_url, offer
from services.auth.tests.github import CLIENT, SECRET, GitHub, Member, address
from services.auth.tests.letterbox import Letterbox
from services.auth.tests.standin import Standin, standing_in

from common.ids import uuid7
from common.testing.apps import Serving


@pytest.fixture(scope="module")
async def site(
    told: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Standin]:
    """The server in GitHub's place, set as a GitHub of one's own is."""
    async with standing_in() as made:
        options = ("--site", f"{made.url}/", "--api", f"{made.url}/api/v3", "--client-id", CLIENT)
        folder = tmp_path_factory.mktemp("secrets")
        assert (await offer(told, folder, "github", SECRET, *options)).code == 0
        yield made


@pytest.fixture
def github(site: Standin, told: dict[str, str]) -> GitHub:
    """A GitHub that knows nobody yet."""
    return GitHub(site, callback_url(told)("github"))


def _number() -> int:
    return uuid7().int % 2**52


async def test_who_has_an_account_at_github_has_one_here(
    desk: Desk, github: GitHub, browser: Browser
) -> None:
    login, email = f"octo-{desk.mark}", f"octo-{desk.mark}@example.org"
    others = [
        address(f"old-{email}", primary=False),
        address(f"typo-{email}", primary=False, verified=False),
    ]
    octo = Member(_number(), login, [*others, address(email)], name="Octo Cat", email="x@y.org")
    github.knows(octo)
    url = github.agrees(await browser.leave("github"), login)
    answer = await browser.come_back(url)
    user = answer.json()["data"]["user"]
    assert (user["username"], user["displayName"]) == (login, "Octo Cat")
    assert (user["email"], user["emailVerified"]) == (email, True)
    assert user["avatarUrl"] == f"https://avatars.example.org/u/{octo.id}?v=4"
    # the code is used up, there and here
    assert code(await browser.come_back(url)) == (400, "OAUTH_STATE_INVALID")
    used = github.agrees(await browser.leave("github"), login)
    octo.challenge = ""
    assert code(await browser.come_back(used)) == (400, "OAUTH_FAILED")
    # by the number: the name is somebody else's tomorrow
    octo.login, octo.emails = f"new-{login}", [address(f"new-{email}")]
    github.members = {octo.login: octo}
    again = await browser.come_back(github.agrees(await browser.leave("github"), octo.login))
    assert whose(again).id == whose(answer).id
    namesake = Member(_number(), login, [address(f"namesake-{email}")])
    github.knows(namesake)
    other = await browser.come_back(github.agrees(await browser.leave("github"), login))
    assert whose(other).id != whose(answer).id
    assert whose(other).username.startswith(f"{login}-")


async def test_what_a_profile_shows_is_no_proof(
    desk: Desk, github: GitHub, browser: Browser, letterbox: Letterbox
) -> None:
    ann = await desk.person()
    token = await letterbox.token(ann.email, "Confirm your e-mail address")
    await desk.call("POST", "/verify", sends={"token": token})
    login = f"m-{desk.mark}"
    for emails, expected in (
        ([address(ann.email, verified=False)], (409, "EMAIL_TAKEN")),
        ([], (400, "OAUTH_EMAIL_MISSING")),
    ):
        github.knows(Member(_number(), login, emails, email=ann.email))
        answer = await browser.come_back(github.agrees(await browser.leave("github"), login))
        assert code(answer) == expected
    own = address(f"own-{ann.email}")
    github.knows(Member(_number(), login, [address(ann.email, verified=False), own]))
    answer = await browser.come_back(github.agrees(await browser.leave("github"), login))
    assert whose(answer).id != ann.id


async def test_github_proves_whose_a_claimed_address_is(
    desk: Desk, github: GitHub, browser: Browser
) -> None:
    mallory = await desk.person()
    login = f"ann-{desk.mark}"
    github.knows(Member(_number(), login, [address(mallory.email)]))
    ann = whose(await browser.come_back(github.agrees(await browser.leave("github"), login)))
    assert ann.id == mallory.id
    assert not await desk.is_live(mallory.refresh_token)
    refused = await desk.call(
        "POST", "/login", sends={"login": mallory.email, "password": mallory.password}
    )
    assert code(refused) == (401, "INVALID_CREDENTIALS")


@pytest.mark.parametrize(
    "path", ["/login/oauth/access_token", "/api/v3/user", "/api/v3/user/emails"]
)
@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 302, 500, 503])
async def test_an_answer_that_is_none_logs_nobody_in(
    desk: Desk, github: GitHub, browser: Browser, path: str, status: int
) -> None:
    login = f"octo-{desk.mark}"
    github.knows(Member(_number(), login, [address(f"{login}@example.org")]))
    url = github.agrees(await browser.leave("github"), login)
    github.standin.says(path, {"message": "what GitHub says"}, status)
    answer = await browser.come_back(url)
    wanted = (503, "UNAVAILABLE") if status >= 500 else (400, "OAUTH_FAILED")
    assert code(answer) == wanted
    assert "what GitHub says" not in answer.text
    assert "set-cookie" not in answer.headers


async def test_github_is_told_what_it_wants_and_no_more(
    desk: Desk, github: GitHub, browser: Browser
) -> None:
    login = f"octo-{desk.mark}"
    github.knows(Member(_number(), login, [address(f"{login}@example.org")]))
    page = await browser.leave("github")
    assert "nonce" not in page
    assert "scope=read%3Auser+user%3Aemail" in page
    whose(await browser.come_back(github.agrees(page, login)))
    asked = github.standin.last("/login/oauth/access_token")
    assert asked.method == "POST"
    assert set(asked.form) == {
        *("grant_type", "code", "redirect_uri", "code_verifier", "client_id", "client_secret")
    }
    assert "cookie" not in asked.headers


async def test_a_login_that_began_at_another_address_makes_no_account(
    told: dict[str, str],
    desk: Desk,
    site: Standin,
    serve: Serving,
    letterbox: Letterbox,
    tmp_path: Path,
) -> None:
    """An operator sets the provider anew while somebody is there: all of it, or nothing."""
    name = f"moved-{desk.mark}"
    at = callback_url(told)(name)
    before = ("--kind", "github", "--site", site.url, "--api", f"{site.url}/api/v3")
    assert (await offer(told, tmp_path, name, SECRET, *before, "--client-id", CLIENT)).code == 0
    github = GitHub(site, at)
    email = f"octo-{desk.mark}@example.org"
    github.knows(Member(_number(), "octo", [address(email)]))
    # this process does not notice
    async with serve(OAUTH_PROVIDERS_CACHED_S="3600") as client, browsing(Desk(client)) as browser:
        url = github.agrees(await browser.leave(name), "octo")
        after = ("--kind", "github", "--site", f"{site.url}/moved", "--api", f"{site.url}/moved")
        assert (await offer(told, tmp_path, name, SECRET, *after, "--client-id", CLIENT)).code == 0
        answer = await browser.come_back(url)
    assert code(answer) == (400, "OAUTH_FAILED")
    assert answer.json()["error"]["details"] == [{"step": "provider"}]
    count = "SELECT count(*) AS value FROM account WHERE email = :email"
    assert await desk.one(count, sa.BigInteger(), email=email) == 0
    assert letterbox.all(email) == []
