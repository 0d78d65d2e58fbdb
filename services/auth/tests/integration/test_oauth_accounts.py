"""Whose account it is that somebody enters through a provider, and which ways in one has."""

import asyncio
from typing import Any

import pytest
from services.auth.tests.browser import Browser, browsing, whose
from services.auth.tests.desk import PASSWORD, Desk, Person, code
from services.auth.tests.elsewhere import CORP, TERSE, Elsewhere
from services.auth.tests.letterbox import Letterbox

IDENTITIES = "/api/v1/users/me/identities"
CONFIRM = "Confirm your e-mail address"


async def identities(desk: Desk, who: Person) -> list[dict[str, Any]]:
    """Who somebody is elsewhere."""
    answer = await desk.call("GET", IDENTITIES, who)
    assert answer.status_code == 200, answer.text
    data: list[dict[str, Any]] = answer.json()["data"]
    return data


async def notes(desk: Desk, who: Person) -> list[str]:
    """What was noted about somebody, in its order."""
    answer = await desk.call("GET", "/api/v1/users/me/audit?limit=100", who)
    return [entry["action"] for entry in reversed(answer.json()["data"])]


async def verified(desk: Desk, letterbox: Letterbox) -> Person:
    """Somebody who has registered, and whose address is known to be theirs."""
    ann = await desk.person()
    token = await letterbox.token(ann.email, CONFIRM)
    assert (await desk.call("POST", "/verify", sends={"token": token})).is_success
    return ann


async def test_whoever_registered_with_an_address_first_does_not_keep_its_owner_s_account(
    desk: Desk, elsewhere: Elsewhere, browser: Browser, letterbox: Letterbox
) -> None:
    """AU-6: Mallory registers with Ann's address before she does, and waits."""
    mallory = await desk.person(displayName="Not Ann")
    await desk.call("PATCH", "/api/v1/users/me", mallory, sends={"avatarUrl": "https://x/y"})
    also = await desk.login(mallory)
    keys = [(await desk.key(mallory))["key"] for _ in range(2)]
    waiting = await letterbox.token(mallory.email, CONFIRM)
    changes = {"email": f"mallory-{mallory.email}", "currentPassword": PASSWORD}
    asked = await desk.call("PATCH", "/api/v1/users/me", mallory, sends=changes)
    assert asked.status_code == 200, asked.text
    changing = await letterbox.token(changes["email"], "Confirm your new e-mail address")
    ticket = (await desk.call("POST", "/ws-ticket", mallory)).json()["data"]["ticket"]

    login = f"s-{desk.mark}"
    await elsewhere.corp.knows(
        login, email=mallory.email.upper(), email_verified=True, name="Ann", picture="https://a/n"
    )
    answer = await elsewhere.log_in(browser, login)
    ann = whose(answer)
    user = answer.json()["data"]["user"]
    assert (user["emailVerified"], user["role"]) == (True, "user")
    assert (user["displayName"], user["avatarUrl"]) == ("Ann", "https://a/n")
    assert ann.id == mallory.id
    assert (await notes(desk, ann))[-7:] == [
        "session.revoked",
        "api_key.revoked",
        "api_key.revoked",
        "email.verified",
        "password.removed",
        "identity.linked",
        "session.started",
    ]

    sends = {"login": mallory.email, "password": mallory.password}
    assert code(await desk.call("POST", "/login", sends=sends)) == (401, "INVALID_CREDENTIALS")
    for one in (mallory, also):
        assert not await desk.is_live(one.refresh_token)
    listed = (await desk.call("GET", "/sessions", ann)).json()["data"]
    assert [one["id"] for one in listed] == [ann.session_id]
    for key in keys:
        assert code(await desk.authorized(key)) == (401, "UNAUTHENTICATED")
    for token in (waiting, changing):
        refused = await desk.call("POST", "/verify", sends={"token": token})
        assert code(refused) == (400, "MAIL_TOKEN_INVALID")
    redeemed = await desk.call("POST", "/internal/ws-tickets/redeem", sends={"ticket": ticket})
    assert code(redeemed) == (404, "NOT_FOUND")
    late = {"name": "late", "scopes": ["builds:write"]}
    made = await desk.call("POST", "/api-keys", mallory, sends=late)
    assert code(made) == (401, "UNAUTHENTICATED")

    subjects = await desk.subjects(ann)
    assert sorted(subjects[-9:]) == sorted(
        [
            *["session.revoked"] * 2,
            *["api_key.revoked"] * 2,
            "user.email_verified",
            "user.updated",
            "password.changed",
            "identity.linked",
            "session.started",
        ]
    )
    removed = [e.data for e in await desk.events(ann) if e.subject.endswith("password.changed.v1")]
    assert [event["reason"] for event in removed] == ["removed"]


async def test_whoever_entered_with_an_address_that_is_not_theirs_does_not_keep_the_account(
    desk: Desk, elsewhere: Elsewhere, browser: Browser
) -> None:
    """AU-6 again, without a password: Mallory's provider believes any address."""
    email = f"ann-{desk.mark}@example.org"
    await elsewhere.terse.knows(f"m-{desk.mark}", email=email, email_verified=False)
    mallory = whose(await elsewhere.log_in(browser, f"m-{desk.mark}", TERSE))
    await elsewhere.corp.knows(f"s-{desk.mark}", email=email, email_verified=True)
    async with browsing(desk) as another:
        ann = whose(await elsewhere.log_in(another, f"s-{desk.mark}"))
    assert ann.id == mallory.id
    assert not await desk.is_live(mallory.refresh_token)
    assert [one["provider"] for one in await identities(desk, ann)] == [CORP]
    subjects = await desk.subjects(ann)
    assert "identity.unlinked" in subjects
    assert "password.changed" not in subjects
    # and Mallory's way in leads nowhere
    refused = await elsewhere.log_in(browser, f"m-{desk.mark}", TERSE)
    assert code(refused) == (409, "EMAIL_TAKEN")


async def test_what_somebody_was_allowed_does_not_pass_to_another(
    desk: Desk, elsewhere: Elsewhere, browser: Browser
) -> None:
    mallory = await desk.person()
    await desk.run("UPDATE account SET role = 'admin' WHERE id = :id", id=mallory.id)
    login = f"s-{desk.mark}"
    await elsewhere.corp.knows(login, email=mallory.email, email_verified=True)
    answer = await elsewhere.log_in(browser, login)
    assert answer.json()["data"]["user"]["role"] == "user"
    ann = whose(answer)
    assert "user.role_changed" in await desk.subjects(ann)
    assert "role.changed" in await notes(desk, ann)


async def test_who_has_proven_an_address_is_let_into_their_account(
    desk: Desk, elsewhere: Elsewhere, browser: Browser, letterbox: Letterbox
) -> None:
    ann = await verified(desk, letterbox)
    login = f"s-{desk.mark}"
    await elsewhere.corp.knows(
        login, email=ann.email.title(), email_verified=True, name="Somebody", picture="https://x/y"
    )
    answer = await elsewhere.log_in(browser, login)
    entered = whose(answer)
    assert entered.id == ann.id
    # it is hers as it was
    user = answer.json()["data"]["user"]
    assert (user["displayName"], user["avatarUrl"]) == (ann.username, None)
    assert await desk.is_live(ann.refresh_token)
    assert (await desk.login(ann)).id == ann.id
    [identity] = await identities(desk, ann)
    assert identity["provider"] == CORP
    mail = await letterbox.came(ann.email, "A new way to log in")
    assert CORP in mail.text
    assert (await notes(desk, ann)).count("identity.linked") == 1


@pytest.mark.parametrize("is_verified", [False, None, "true", "yes", 1])
async def test_an_address_that_a_provider_only_believes_opens_nothing(
    desk: Desk, elsewhere: Elsewhere, browser: Browser, letterbox: Letterbox, is_verified: object
) -> None:
    login = f"s-{desk.mark}"
    for victim in (await desk.person(), await verified(desk, letterbox)):
        await elsewhere.corp.knows(login, email=victim.email, email_verified=is_verified)
        answer = await elsewhere.log_in(browser, login)
        # what is not even a text or a truth value is no ID token
        assert code(answer) in {(409, "EMAIL_TAKEN"), (400, "OAUTH_FAILED")}
        assert "set-cookie" not in answer.headers
        assert await identities(desk, victim) == []
        assert (await desk.login(victim)).id == victim.id


async def test_who_has_no_proven_address_gets_an_account_that_says_so(
    desk: Desk, elsewhere: Elsewhere, browser: Browser, letterbox: Letterbox
) -> None:
    login = f"s-{desk.mark}"
    email = f"{login}@example.org"
    await elsewhere.corp.knows(login, email=email, email_verified=False)
    answer = await elsewhere.log_in(browser, login)
    ann = whose(answer)
    assert answer.json()["data"]["user"]["emailVerified"] is False
    assert "user.email_verified" not in await desk.subjects(ann)
    # as anybody who registers, they may prove it by mail
    token = await letterbox.token(email, CONFIRM)
    confirmed = await desk.call("POST", "/verify", sends={"token": token})
    assert confirmed.json()["data"]["emailVerified"] is True


async def test_an_address_is_proven_as_soon_as_the_provider_knows(
    desk: Desk, elsewhere: Elsewhere, browser: Browser
) -> None:
    login = f"s-{desk.mark}"
    email = f"{login}@example.org"
    await elsewhere.corp.knows(login, email=email, email_verified=False)
    ann = whose(await elsewhere.log_in(browser, login))
    # another address proves nothing about this one
    await elsewhere.corp.knows(login, email=f"x{email}", email_verified=True)
    answer = await elsewhere.log_in(browser, login)
    assert answer.json()["data"]["user"]["emailVerified"] is False
    await elsewhere.corp.knows(login, email=email, email_verified=True)
    answer = await elsewhere.log_in(browser, login)
    assert answer.json()["data"]["user"]["emailVerified"] is True
    assert whose(answer).id == ann.id
    assert (await desk.subjects(ann)).count("user.email_verified") == 1


async def test_addresses_that_only_the_database_takes_for_the_same_are_two(
    desk: Desk, elsewhere: Elsewhere, browser: Browser, letterbox: Letterbox
) -> None:
    ann = await desk.person(email=f"kim-{desk.mark}@example.org")
    token = await letterbox.token(ann.email, CONFIRM)
    await desk.call("POST", "/verify", sends={"token": token})
    login = f"s-{desk.mark}"
    # KELVIN SIGN, whose lower case is k
    await elsewhere.corp.knows(
        login, email=ann.email.replace("k", "\u212a", 1), email_verified=True
    )
    answer = await elsewhere.log_in(browser, login)
    if answer.status_code == 200:
        assert whose(answer).id != ann.id
    else:
        assert code(answer) == (409, "EMAIL_TAKEN")
    assert await identities(desk, ann) == []


async def test_an_account_that_is_disabled_is_entered_by_nobody(
    desk: Desk, elsewhere: Elsewhere, browser: Browser, letterbox: Letterbox
) -> None:
    login = f"s-{desk.mark}"
    known, proven, claimed = desk.mark, await verified(desk, letterbox), await desk.person()
    await elsewhere.corp.knows(login, email=f"{known}@example.org", email_verified=True)
    entered = whose(await elsewhere.log_in(browser, login))
    for number, who in enumerate((entered, proven, claimed)):
        await desk.run("UPDATE account SET is_disabled = true WHERE id = :id", id=who.id)
        name = login if who is entered else f"{login}-{number}"
        await elsewhere.corp.knows(name, email=who.email, email_verified=True)
        async with browsing(desk) as another:
            answer = await elsewhere.log_in(another, name)
        assert code(answer) == (403, "FORBIDDEN")
        assert "set-cookie" not in answer.headers
        assert (await desk.subjects(who)).count("identity.linked") == int(who is entered)


async def test_two_browsers_at_once_make_one_account(
    desk: Desk, elsewhere: Elsewhere, browse
) -> None:
    login = f"s-{desk.mark}"
    email = f"{login}@example.org"
    await elsewhere.corp.knows(login, email=email, email_verified=True, preferred_username=login)
    browsers = [await browse() for _ in range(6)]
    urls = [await elsewhere.leads(browser, login) for browser in browsers]
    answers = await asyncio.gather(
        *[browser.come_back(url) for browser, url in zip(browsers, urls, strict=True)]
    )
    people = [whose(answer) for answer in answers]
    assert len({one.id for one in people}) == 1
    subjects = await desk.subjects(people[0])
    assert [subjects.count(kind) for kind in ("user.registered", "identity.linked")] == [1, 1]
    assert subjects.count("session.started") == len(people)
    assert len(await identities(desk, people[0])) == 1


async def test_people_of_one_name_get_names_of_their_own_at_once(
    desk: Desk, elsewhere: Elsewhere, browse
) -> None:
    browsers = [await browse() for _ in range(5)]
    urls = []
    for number, browser in enumerate(browsers):
        login = f"s-{desk.mark}-{number}"
        email = f"{login}@example.org"
        await elsewhere.corp.knows(
            login, email=email, email_verified=True, preferred_username=f"kim-{desk.mark}"
        )
        urls.append(await elsewhere.leads(browser, login))
    answers = await asyncio.gather(
        *[browser.come_back(url) for browser, url in zip(browsers, urls, strict=True)]
    )
    names = [whose(answer).username for answer in answers]
    assert len(set(names)) == len(names)
    assert f"kim-{desk.mark}" in names


async def test_a_registration_and_a_login_at_once_leave_the_owner_alone_in(
    desk: Desk, elsewhere: Elsewhere, browse
) -> None:
    for number in range(5):
        login = f"s-{desk.mark}-{number}"
        new = desk.registration(email=f"{login}@example.org", tokenDelivery="body")
        await elsewhere.corp.knows(login, email=new["email"], email_verified=True)
        browser = await browse()
        url = await elsewhere.leads(browser, login)
        answer, registered = await asyncio.gather(
            browser.come_back(url), desk.call("POST", "/register", sends=new)
        )
        ann = whose(answer)
        assert registered.status_code in {201, 409}
        if registered.status_code == 201:
            token = registered.json()["data"]["refreshToken"]
            assert not await desk.is_live(token)
        sends = {"login": new["email"], "password": PASSWORD}
        assert code(await desk.call("POST", "/login", sends=sends)) == (401, "INVALID_CREDENTIALS")
        assert len(await identities(desk, ann)) == 1


async def test_a_login_that_is_under_way_does_not_outlive_the_password(
    desk: Desk, elsewhere: Elsewhere, browse
) -> None:
    mallory = await desk.person()
    login = f"s-{desk.mark}"
    await elsewhere.corp.knows(login, email=mallory.email, email_verified=True)
    browser = await browse()
    url = await elsewhere.leads(browser, login)
    sends = {"login": mallory.email, "password": PASSWORD, "tokenDelivery": "body"}
    answer, *logins = await asyncio.gather(
        browser.come_back(url), *[desk.call("POST", "/login", sends=sends) for _ in range(8)]
    )
    ann = whose(answer)
    for one in logins:
        if one.status_code == 200:
            assert not await desk.is_live(one.json()["data"]["refreshToken"])
    listed = (await desk.call("GET", "/sessions", ann)).json()["data"]
    assert [one["id"] for one in listed] == [ann.session_id]


async def test_a_key_that_is_being_made_does_not_outlive_the_takeover(
    desk: Desk, elsewhere: Elsewhere, browse
) -> None:
    mallory = await desk.person()
    login = f"s-{desk.mark}"
    await elsewhere.corp.knows(login, email=mallory.email, email_verified=True)
    browser = await browse()
    url = await elsewhere.leads(browser, login)
    sends = {"name": "ci", "scopes": ["builds:write"]}
    answer, *made = await asyncio.gather(
        browser.come_back(url),
        *[desk.call("POST", "/api-keys", mallory, sends=sends) for _ in range(8)],
    )
    whose(answer)
    for one in made:
        assert one.status_code in {201, 401}
        if one.status_code == 201:
            key = one.json()["data"]["key"]
            assert code(await desk.authorized(key)) == (401, "UNAUTHENTICATED")


async def test_a_way_in_is_removed_unless_it_is_the_last(
    desk: Desk, elsewhere: Elsewhere, browser: Browser, letterbox: Letterbox
) -> None:
    login = f"s-{desk.mark}"
    email = f"{login}@example.org"
    for place in (elsewhere.corp, elsewhere.terse):
        await place.knows(login, email=email, email_verified=True)
    ann = whose(await elsewhere.log_in(browser, login, CORP))
    assert whose(await elsewhere.log_in(browser, login, TERSE)).id == ann.id
    first, second = await identities(desk, ann)
    assert [first["provider"], second["provider"]] == [CORP, TERSE]
    gone = await desk.call("DELETE", f"{IDENTITIES}/{first['id']}", ann)
    assert (gone.status_code, gone.content) == (204, b"")
    assert (await desk.subjects(ann))[-1] == "identity.unlinked"
    assert (await desk.events(ann))[-1].data["provider"] == CORP
    assert (await notes(desk, ann))[-1] == "identity.unlinked"
    assert CORP in (await letterbox.came(email, "was removed")).text
    again = await desk.call("DELETE", f"{IDENTITIES}/{first['id']}", ann)
    assert code(again) == (404, "NOT_FOUND")
    last = await desk.call("DELETE", f"{IDENTITIES}/{second['id']}", ann)
    assert code(last) == (409, "CONFLICT")
    assert [one["id"] for one in await identities(desk, ann)] == [second["id"]]
    # with a password there is another way in
    await desk.call("POST", "/password/forgot", sends={"email": email})
    token = await letterbox.token(email, "Set a new password")
    sends = {"token": token, "password": "another whole password"}
    assert (await desk.call("POST", "/password/reset", sends=sends)).is_success
    gone = await desk.call("DELETE", f"{IDENTITIES}/{second['id']}", ann)
    assert gone.status_code == 204
    assert await identities(desk, ann) == []
    # who comes back that way proves the same address, and is let in again
    assert whose(await elsewhere.log_in(browser, login)).id == ann.id


async def test_of_two_last_ways_one_stays_whoever_removes_them_at_once(
    desk: Desk, elsewhere: Elsewhere, browser: Browser
) -> None:
    login = f"s-{desk.mark}"
    for place in (elsewhere.corp, elsewhere.terse):
        await place.knows(login, email=f"{login}@example.org", email_verified=True)
    ann = whose(await elsewhere.log_in(browser, login, CORP))
    assert whose(await elsewhere.log_in(browser, login, TERSE)).id == ann.id
    # with connections to the database for both, neither waits for the other before it looks
    (first, second), *_ = await asyncio.gather(*[identities(desk, ann) for _ in range(8)])
    answers = await asyncio.gather(
        *[desk.call("DELETE", f"{IDENTITIES}/{one['id']}", ann) for one in (first, second)]
    )
    assert sorted(answer.status_code for answer in answers) == [204, 409]
    assert len(await identities(desk, ann)) == 1


async def test_nobody_sees_or_removes_who_somebody_else_is(
    desk: Desk, elsewhere: Elsewhere, browser: Browser
) -> None:
    login = f"s-{desk.mark}"
    await elsewhere.corp.knows(login, email=f"{login}@example.org", email_verified=True)
    ann, bob = whose(await elsewhere.log_in(browser, login)), await desk.person()
    [mine] = await identities(desk, ann)
    assert await identities(desk, bob) == []
    path = f"{IDENTITIES}/{mine['id']}"
    assert code(await desk.call("DELETE", path, bob)) == (404, "NOT_FOUND")
    assert code(await desk.call("DELETE", path)) == (401, "UNAUTHENTICATED")
    assert len(await identities(desk, ann)) == 1
    for method, place in (("GET", IDENTITIES), ("DELETE", path)):
        key = {"x_auth_method": "api_key", "x_auth_scopes": "users:read projects:write"}
        refused = await desk.call(method, place, ann, **key)
        assert code(refused) == (403, "INSUFFICIENT_SCOPE")
