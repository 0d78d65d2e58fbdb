"""Logging in: what it takes, and what it gives."""

import asyncio

from joserfc import jwt
from joserfc.jwk import KeySet
from services.auth.tests.desk import ADDRESS, Desk, claims, code, cookies, faulty, part

from common.testing.apps import Serving


async def test_a_login_is_an_address_or_a_name(desk: Desk) -> None:
    ann = await desk.person()
    for login in (ann.email, ann.email.upper(), ann.username, ann.username.upper()):
        sends = {"login": login, "password": ann.password, "tokenDelivery": "body"}
        answer = await desk.call("POST", "/login", sends=sends)
        assert answer.status_code == 200, answer.text
        data = answer.json()["data"]
        assert data["user"]["id"] == str(ann.id)
        assert set(data) == {"user", "accessToken", "tokenType", "expiresIn", "refreshToken"}
        assert "set-cookie" not in answer.headers


async def test_a_wrong_password_and_nobody_look_the_same(desk: Desk) -> None:
    ann = await desk.person()
    found = []
    for login in (ann.email, "nobody@example.org", "no\u0000body", "%", "' or 1=1 --"):
        sends = {"login": login, "password": "wrong password"}
        answer = await desk.call("POST", "/login", sends=sends)
        assert code(answer) == (401, "INVALID_CREDENTIALS")
        assert answer.headers["www-authenticate"] == "Bearer"
        found.append({k: v for k, v in answer.json()["error"].items() if k != "requestId"})
    assert all(one == found[0] for one in found)


async def test_each_fault_of_a_login_is_named(desk: Desk) -> None:
    assert faulty(await desk.call("POST", "/login", sends={"user": "x"})) == [
        "login",
        "password",
        "user",
    ]
    sends = {"login": "x" * 321, "password": 1}
    assert faulty(await desk.call("POST", "/login", sends=sends)) == ["login", "password"]


async def test_an_access_token_says_who_and_is_signed_by_a_published_key(desk: Desk) -> None:
    ann = await desk.person()
    published = (await desk.call("GET", "/.well-known/jwks.json")).json()
    keys = KeySet.import_key_set(published)
    token = jwt.decode(ann.access_token, keys, algorithms=["ES256"])
    said = token.claims
    assert (said["iss"], said["aud"], said["sub"]) == ("worldloom", "worldloom", str(ann.id))
    assert said["role"] == "user"
    assert said["exp"] - said["iat"] == 600
    assert all(isinstance(said[name], str) for name in ("iss", "aud", "sub", "sid", "role"))
    header = part(ann.access_token, 0)
    assert (header["alg"], header["typ"]) == ("ES256", "at+jwt")
    assert header["kid"] in {key["kid"] for key in published["keys"]}


async def test_a_browser_gets_its_refresh_token_where_no_script_sees_it(desk: Desk) -> None:
    ann = await desk.person()
    sends = {"login": ann.email, "password": ann.password}
    answer = await desk.call("POST", "/login", sends=sends)
    assert "refreshToken" not in answer.json()["data"]
    jar = cookies(answer)
    kept = jar["wl_refresh"]
    assert kept["httponly"]
    assert (kept["samesite"].lower(), kept["path"]) == ("strict", "/api/v1/auth")
    assert int(kept["max-age"]) == 2_592_000
    # plain http on this machine: a browser would keep no Secure cookie
    assert not kept["secure"]
    assert jar["wl_csrf"].value == answer.json()["data"]["csrfToken"]
    assert not jar["wl_csrf"]["httponly"]


async def test_elsewhere_cookies_are_secure(serve: Serving, desk: Desk) -> None:
    new = desk.registration()
    for address in ("https://games.example.org", "http://games.example.org"):
        async with serve(GATEWAY_URL=address) as client:
            desk.client = client
            new = desk.registration()
            jar = cookies(await desk.call("POST", "/register", sends=new))
            assert all(jar[name]["secure"] for name in ("wl_refresh", "wl_csrf"))


async def test_each_login_is_a_session_of_its_own(desk: Desk) -> None:
    ann = await desk.person()
    again = await desk.login(ann)
    assert again.session_id != ann.session_id
    assert await desk.subjects(ann) == ["user.registered", "session.started", "session.started"]
    listed = (await desk.call("GET", "/sessions", again)).json()["data"]
    assert [one["id"] for one in listed] == [again.session_id, ann.session_id]
    assert [one["isCurrent"] for one in listed] == [True, False]
    assert {one["address"] for one in listed} == {ADDRESS}
    assert set(listed[0]) == {
        "id",
        "device",
        "userAgent",
        "address",
        "isCurrent",
        "createdAt",
        "lastSeenAt",
        "expiresAt",
    }


async def test_what_a_browser_calls_itself_is_kept_in_part(desk: Desk) -> None:
    ann = await desk.person()
    sends = {"login": ann.email, "password": ann.password, "tokenDelivery": "body"}
    answer = await desk.call("POST", "/login", sends=sends, user_agent="x" * 5_000)
    assert answer.status_code == 200
    listed = (await desk.call("GET", "/sessions", ann)).json()["data"]
    assert "x" * 400 in {one["userAgent"] for one in listed}


async def test_who_would_wait_too_long_is_told_to_come_back(serve: Serving, desk: Desk) -> None:
    slow = {"PASSWORD_MEMORY_KIB": "131072", "PASSWORD_PASSES": "4"}
    async with serve(PASSWORD_WORKERS="1", PASSWORD_WAIT_S="0", **slow) as client:
        desk.client = client
        answers = await asyncio.gather(
            *[desk.call("POST", "/register", sends=desk.registration()) for _ in range(6)]
        )
        assert (await desk.call("POST", "/register", sends=desk.registration())).is_success
    refused = [answer for answer in answers if answer.status_code != 201]
    assert len(refused) == len(answers) - 1
    for answer in refused:
        assert code(answer) == (503, "UNAVAILABLE")
        assert int(answer.headers["retry-after"]) >= 1


async def test_two_services_sign_with_one_key(serve: Serving, desk: Desk) -> None:
    ann = await desk.person()
    async with serve() as client:
        desk.client = client
        again = await desk.login(ann)
    assert part(again.access_token, 0)["kid"] == part(ann.access_token, 0)["kid"]
    assert claims(again.access_token)["sub"] == str(ann.id)
