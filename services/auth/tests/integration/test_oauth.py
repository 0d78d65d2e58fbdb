"""Logging in through an OpenID provider: the way there, the way back, and whoever is not let in."""

import asyncio
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from services.auth.tests.browser import browsing, whose
from services.auth.tests.desk import Desk, code, cookies, faulty
from services.auth.tests.elsewhere import CORP, CORP_ES256, TERSE, Elsewhere

from common.testing.apps import Serving

PAGE = "https://editor.example.org/logged-in?from=worldloom"
PAGES = {"OAUTH_REDIRECTS": f"https://other.example.org/, {PAGE}"}


async def test_whoever_a_provider_vouches_for_gets_an_account_and_a_session(
    desk: Desk, elsewhere: Elsewhere, browser
) -> None:
    login, email = f"s-{desk.mark}", f"Ann.{desk.mark}@example.org"
    picture = "https://pictures.example.org/ann.png"
    await elsewhere.corp.knows(
        login,
        email=email,
        email_verified=True,
        name="Ann  Of\tBritain ",
        preferred_username=f"ann {desk.mark}",
        picture=picture,
    )
    answer = await elsewhere.log_in(browser, login)
    ann = whose(answer)
    data = answer.json()["data"]
    assert data["tokenType"] == "Bearer"
    assert data["csrfToken"] == answer.cookies["wl_csrf"]
    assert answer.headers["cache-control"] == "no-store"
    user = data["user"]
    assert (user["email"], user["emailVerified"]) == (email, True)
    assert (user["username"], user["displayName"]) == (f"ann-{desk.mark}", "Ann Of Britain")
    assert (user["avatarUrl"], user["role"]) == (picture, "user")
    assert (await desk.call("GET", "/api/v1/users/me", ann)).json()["data"] == user
    [identity] = (await desk.call("GET", "/api/v1/users/me/identities", ann)).json()["data"]
    assert (identity["provider"], identity["email"]) == (CORP, email)
    assert set(identity) == {"id", "provider", "email", "createdAt", "lastUsedAt"}
    assert await desk.subjects(ann) == [
        "user.registered",
        "user.email_verified",
        "identity.linked",
        "session.started",
    ]
    # nobody knows a password of it, and so nobody has one
    for password in ("", "None", ann.password):
        sends = {"login": email, "password": password or "x"}
        refused = await desk.call("POST", "/login", sends=sends)
        assert code(refused) == (401, "INVALID_CREDENTIALS")


@pytest.mark.parametrize("provider", [CORP, CORP_ES256])
async def test_the_same_person_comes_back_to_the_same_account(
    desk: Desk, elsewhere: Elsewhere, browser, provider: str
) -> None:
    login = f"s-{desk.mark}"
    email = f"{login}@example.org"
    await elsewhere.corp.knows(login, email=email, email_verified=True, name="Ann")
    ann = whose(await elsewhere.log_in(browser, login, provider))
    # by the number that the provider gave them: names and addresses are for a while
    await elsewhere.corp.knows(
        login, email=f"new-{email}", email_verified=True, name="Somebody", picture="https://x/y"
    )
    again = whose(await elsewhere.log_in(browser, login, provider))
    assert (again.id, again.email) == (ann.id, email)
    assert again.session_id != ann.session_id
    async with browsing(desk) as another:
        third = whose(await elsewhere.log_in(another, login, provider))
    assert third.id == ann.id
    [identity] = (await desk.call("GET", "/api/v1/users/me/identities", ann)).json()["data"]
    assert identity["email"] == f"new-{email}"
    assert identity["lastUsedAt"] > identity["createdAt"]


async def test_a_provider_that_tells_little_is_asked_for_more(
    desk: Desk, elsewhere: Elsewhere, browser
) -> None:
    login = f"s-{desk.mark}"
    email = f"{login}@example.org"
    await elsewhere.terse.knows(login, email=email, email_verified=True, name="Ann")
    ann = whose(await elsewhere.log_in(browser, login, TERSE))
    assert ann.email == email
    me = (await desk.call("GET", "/api/v1/users/me", ann)).json()["data"]
    assert (me["emailVerified"], me["displayName"]) == (True, "Ann")


async def test_without_an_address_there_is_no_account(
    desk: Desk, elsewhere: Elsewhere, browser
) -> None:
    login = f"s-{desk.mark}"
    for claims in ({}, {"email": "no address", "email_verified": True}):
        await elsewhere.corp.knows(login, name="Ann", **claims)
        answer = await elsewhere.log_in(browser, login)
        assert code(answer) == (400, "OAUTH_EMAIL_MISSING")
        assert "set-cookie" not in answer.headers


async def test_names_are_made_to_fit_and_are_nobody_elses(
    desk: Desk, elsewhere: Elsewhere, browser
) -> None:
    taken = (await desk.person()).username
    given = {
        taken.upper(): f"{taken}-",
        "Zoë / Σ": "Zo",
        "a" * 80: "aaaa",
        "\u202e\u0000..": "user-",
        "me": "user-",
        f"ann.{desk.mark}@example.org": "user-",
        "--__--": "user-",
    }
    for number, (name, begins) in enumerate(given.items()):
        login = f"s-{desk.mark}-{number}"
        email = f"{login}@example.org"
        await elsewhere.corp.knows(
            login, email=email, email_verified=True, preferred_username=name, name="\n"
        )
        found = whose(await elsewhere.log_in(browser, login))
        assert found.username.lower().startswith(begins.lower()), (name, found.username)
        assert 3 <= len(found.username) <= 32
        shown = await desk.call("GET", f"/api/v1/users/{found.username}")
        assert shown.json()["data"]["displayName"] == found.username
        browser.there.cookies.clear()


async def test_the_provider_is_sent_what_ties_its_answer_to_this_browser(
    elsewhere: Elsewhere, browser, told: dict[str, str]
) -> None:
    answer = await browser.authorize(CORP)
    assert answer.headers["cache-control"] == "no-store"
    page = urlsplit(answer.headers["location"])
    query = {name: values[0] for name, values in parse_qs(page.query).items()}
    assert f"{page.scheme}://{page.netloc}" == elsewhere.corp.issuer
    assert query["redirect_uri"] == f"{told['GATEWAY_URL']}/api/v1/auth/oauth/corp/callback"
    assert (query["response_type"], query["client_id"]) == ("code", "worldloom")
    assert query["scope"].split() == ["openid", "email", "profile"]
    assert query["code_challenge_method"] == "S256"
    assert all(len(query[name]) == 43 for name in ("state", "nonce", "code_challenge"))
    kept = cookies(answer)["wl_oauth"]
    assert kept["httponly"]
    assert (kept["samesite"].lower(), kept["path"]) == ("lax", "/api/v1/auth/oauth")
    assert (kept["max-age"], len(kept.value)) == ("600", 43)
    assert not kept["secure"]


@pytest.mark.usefixtures("elsewhere")
async def test_nothing_that_is_kept_meanwhile_says_what_the_browser_has(
    desk: Desk, browser
) -> None:
    page = await browser.leave(CORP)
    state = parse_qs(urlsplit(page).query)["state"][0]
    kept = await desk.one(
        "SELECT string_agg(flow::text, ' ') AS value FROM flow WHERE provider = 'corp'", sa.Text()
    )
    held = browser.here.cookies["wl_oauth"]
    for secret in (state, held, state.encode().hex(), held.encode().hex()):
        assert secret not in kept


async def test_a_login_is_good_once(elsewhere: Elsewhere, desk: Desk, browser) -> None:
    login = f"s-{desk.mark}"
    await elsewhere.corp.knows(login, email=f"{login}@example.org", email_verified=True)
    url = await elsewhere.leads(browser, login)
    answers = await asyncio.gather(*[browser.come_back(url) for _ in range(5)])
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200, 400, 400, 400, 400]
    refused = await browser.come_back(url)
    assert code(refused) == (400, "OAUTH_STATE_INVALID")
    assert "set-cookie" not in refused.headers


@pytest.mark.parametrize(
    "instead",
    [
        {"state": None},
        {"state": ""},
        {"state": "x" * 43},
        {"state": "\u00e4\u0000"},
        {"state": None, "code": None},
        {"state": None, "error": "access_denied", "code": None},
    ],
)
async def test_a_state_that_is_not_ours_is_refused(
    elsewhere: Elsewhere, desk: Desk, browser, instead: dict[str, str | None]
) -> None:
    login = f"s-{desk.mark}"
    await elsewhere.corp.knows(login, email=f"{login}@example.org", email_verified=True)
    url = await elsewhere.leads(browser, login)
    answer = await browser.come_back(url, **instead)
    assert code(answer) == (400, "OAUTH_STATE_INVALID")
    assert "set-cookie" not in answer.headers
    # it was not used up by somebody who does not know it
    assert whose(await browser.come_back(url)).email == f"{login}@example.org"


async def test_another_browser_does_not_end_what_this_one_began(
    elsewhere: Elsewhere, desk: Desk, browser, browse
) -> None:
    login = f"s-{desk.mark}"
    await elsewhere.corp.knows(login, email=f"{login}@example.org", email_verified=True)
    # somebody else logs in, and would have this browser be logged in as them
    url = await elsewhere.leads(browser, login)
    other = await browse()
    assert code(await other.come_back(url)) == (400, "OAUTH_STATE_INVALID")
    await other.leave(CORP)
    assert code(await other.come_back(url)) == (400, "OAUTH_STATE_INVALID")
    # and it is over for all
    assert code(await browser.come_back(url)) == (400, "OAUTH_STATE_INVALID")


async def test_a_state_is_for_the_provider_that_it_was_made_for(
    elsewhere: Elsewhere, desk: Desk, browser
) -> None:
    login = f"s-{desk.mark}"
    await elsewhere.corp.knows(login, email=f"{login}@example.org", email_verified=True)
    url = (await elsewhere.leads(browser, login)).replace("/corp/", "/corp-es256/")
    assert code(await browser.come_back(url)) == (400, "OAUTH_STATE_INVALID")


async def test_a_login_that_took_too_long_is_over(
    elsewhere: Elsewhere, desk: Desk, browser
) -> None:
    login = f"s-{desk.mark}"
    await elsewhere.corp.knows(login, email=f"{login}@example.org", email_verified=True)
    url = await elsewhere.leads(browser, login)
    await desk.run("UPDATE flow SET expires_at = now() WHERE provider = 'corp'")
    assert code(await browser.come_back(url)) == (400, "OAUTH_STATE_INVALID")


async def test_tabs_of_one_browser_do_not_disturb_each_other(
    elsewhere: Elsewhere, desk: Desk, browser
) -> None:
    login = f"s-{desk.mark}"
    await elsewhere.corp.knows(login, email=f"{login}@example.org", email_verified=True)
    urls = [await elsewhere.leads(browser, login) for _ in range(3)]
    found = {whose(await browser.come_back(url)).id for url in urls}
    assert len(found) == 1


async def test_whoever_does_not_want_to_is_not_logged_in(elsewhere: Elsewhere, browser) -> None:
    url = await elsewhere.corp.refusal(browser.there, await browser.leave(CORP))
    answer = await browser.come_back(url)
    assert code(answer) == (400, "OAUTH_DENIED")
    assert "aborted" not in answer.text
    assert "set-cookie" not in answer.headers


async def test_another_code_is_worth_nothing(
    elsewhere: Elsewhere, desk: Desk, browser, browse
) -> None:
    login, mallory = f"s-{desk.mark}", f"m-{desk.mark}"
    for name in (login, mallory):
        await elsewhere.corp.knows(name, email=f"{name}@example.org", email_verified=True)
    other = await browse()
    stolen = parse_qs(urlsplit(await elsewhere.leads(other, login)).query)["code"][0]
    # made for another verifier, or never
    for given in (stolen, "x", ""):
        answer = await browser.come_back(await elsewhere.leads(browser, mallory), code=given)
        assert code(answer) == (400, "OAUTH_FAILED"), given
        assert answer.json()["error"]["details"] == [{"step": "code"}]
        assert "set-cookie" not in answer.headers
    nothing = await browser.come_back(await elsewhere.leads(browser, mallory), code=None)
    assert code(nothing) == (400, "OAUTH_FAILED")


async def test_a_code_that_was_used_is_refused(elsewhere: Elsewhere, desk: Desk, browser) -> None:
    login = f"s-{desk.mark}"
    await elsewhere.corp.knows(login, email=f"{login}@example.org", email_verified=True)
    url = await elsewhere.leads(browser, login)
    assert whose(await browser.come_back(url)).email == f"{login}@example.org"
    used = parse_qs(urlsplit(url).query)["code"][0]
    answer = await browser.come_back(await elsewhere.leads(browser, login), code=used)
    assert code(answer) == (400, "OAUTH_FAILED")


async def test_what_another_issuer_answers_is_refused(
    elsewhere: Elsewhere, desk: Desk, browser
) -> None:
    login = f"s-{desk.mark}"
    await elsewhere.corp.knows(login, email=f"{login}@example.org", email_verified=True)
    # this one promises to say who it is (RFC 9207)
    for iss in ("https://evil.example.org", elsewhere.terse.issuer, None):
        answer = await browser.come_back(await elsewhere.leads(browser, login), iss=iss)
        assert code(answer) == (400, "OAUTH_FAILED")
        assert answer.json()["error"]["details"] == [{"step": "issuer"}]


async def test_a_page_that_waits_is_led_to_and_finds_a_session(
    serve: Serving, desk: Desk, elsewhere: Elsewhere
) -> None:
    login = f"s-{desk.mark}"
    await elsewhere.corp.knows(login, email=f"{login}@example.org", email_verified=True)
    async with serve(**PAGES) as client:
        desk.client = client
        async with browsing(desk) as browser:
            answer = await elsewhere.log_in(browser, login, redirectTo=PAGE)
            page, _, fragment = answer.headers["location"].partition("#")
            assert (answer.status_code, page) == (303, PAGE)
            # a page on another host of the site cannot read the cookie
            assert fragment == f"csrfToken={cookies(answer)['wl_csrf'].value}"
            assert answer.content == b""
            refreshed = await browser.refresh()
            assert whose(refreshed).email == f"{login}@example.org"
            assert code(await browser.refresh(**{"x-csrf-token": ""})) == (403, "CSRF_FAILED")
            # and of a failure it is told
            url = await elsewhere.leads(browser, login, redirectTo=PAGE)
            failed = await browser.come_back(url, code="x")
            told = f"{PAGE}&error=OAUTH_FAILED"
            assert (failed.status_code, failed.headers["location"]) == (303, told)
            assert "set-cookie" not in failed.headers


@pytest.mark.parametrize(
    "page",
    [
        "",
        "https://editor.example.org/logged-in",
        f"{PAGE}&x=1",
        f"{PAGE}/",
        f"{PAGE}#top",
        PAGE.upper(),
        PAGE.replace("editor", "Editor"),
        PAGE.replace("https", "http"),
        PAGE.replace("example.org", "example.org:443"),
        PAGE.replace("example.org", "example.org.evil.com"),
        PAGE.replace("editor.", "editor.example.org@"),
        PAGE.replace("/logged-in", "/./logged-in"),
        PAGE.replace("-", "%2D"),
        f" {PAGE}",
        f"{PAGE}\u0000",
        "//editor.example.org/logged-in",
        "javascript:alert(1)",
        "/logged-in",
    ],
)
@pytest.mark.usefixtures("elsewhere")
async def test_nobody_is_led_to_a_page_that_only_looks_like_one(
    serve: Serving, desk: Desk, page: str
) -> None:
    async with serve(**PAGES) as client:
        desk.client = client
        async with browsing(desk) as browser:
            answer = await browser.authorize(CORP, redirectTo=page)
            assert faulty(answer) == ["redirectTo"]
            assert "set-cookie" not in answer.headers
            assert "location" not in answer.headers


@pytest.mark.usefixtures("elsewhere")
async def test_without_a_list_no_page_is_led_to(browser, told) -> None:
    for page in (PAGE, told["GATEWAY_URL"], f"{told['GATEWAY_URL']}/docs"):
        assert faulty(await browser.authorize(CORP, redirectTo=page)) == ["redirectTo"]


@pytest.mark.usefixtures("elsewhere")
async def test_the_providers_are_listed_for_their_buttons(browser) -> None:
    listed = (await browser.get("/api/v1/auth/oauth")).json()["data"]
    assert {"name": CORP, "kind": "oidc"} in listed
    assert {name for each in listed for name in each} == {"name", "kind"}


@pytest.mark.parametrize("name", ["nobody", "CORP", "corp%00", "%ff", "..", "corp%2f..%2fcorp"])
@pytest.mark.usefixtures("elsewhere")
async def test_a_provider_that_is_none_is_not_found(browser, name: str) -> None:
    for path in ("authorize", "callback?state=x"):
        answer = await browser.get(f"/api/v1/auth/oauth/{name}/{path}")
        assert answer.status_code in {400, 404}, answer.text
        assert "location" not in answer.headers
