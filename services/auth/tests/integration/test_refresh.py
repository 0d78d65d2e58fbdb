"""Staying logged in: rotation, lost replies, ten tabs at once, and a thief."""

import asyncio

import httpx
import pytest
import sqlalchemy as sa
from services.auth.tests.desk import Desk, Person, claims, code, cookies, faulty

from common.testing.apps import Serving


def token(answer: httpx.Response) -> str:
    """The refresh token that an answer brings."""
    assert answer.status_code == 200, answer.text
    found: str = answer.json()["data"]["refreshToken"]
    return found


async def test_a_refresh_gives_the_next_pair(desk: Desk) -> None:
    ann = await desk.person()
    answer = await desk.refresh(ann.refresh_token)
    data = answer.json()["data"]
    assert set(data) == {"user", "accessToken", "tokenType", "expiresIn", "refreshToken"}
    assert data["user"]["id"] == str(ann.id)
    assert data["refreshToken"] != ann.refresh_token
    said = claims(data["accessToken"])
    assert (said["sub"], said["sid"]) == (str(ann.id), ann.session_id)
    assert answer.headers["cache-control"] == "no-store"


async def test_a_refresh_token_is_kept_as_its_hash(desk: Desk) -> None:
    ann = await desk.person()
    second = token(await desk.refresh(ann.refresh_token))
    kept = await desk.one(
        "SELECT string_agg(encode(hash, 'escape') || coalesce(encode(parent, 'escape'), ''), ' ')"
        " AS value FROM refresh_token WHERE CAST(session_id AS text) = :id",
        sa.Text(),
        id=ann.session_id,
    )
    assert ann.refresh_token not in kept
    assert second not in kept


async def test_who_lost_the_reply_gets_it_again(desk: Desk) -> None:
    ann = await desk.person()
    lost = token(await desk.refresh(ann.refresh_token))
    assert token(await desk.refresh(ann.refresh_token)) == lost
    assert token(await desk.refresh(ann.refresh_token)) == lost
    assert await desk.is_live(lost)


async def test_ten_tabs_at_once_get_one_successor(desk: Desk) -> None:
    ann = await desk.person()
    answers = await asyncio.gather(*[desk.refresh(ann.refresh_token) for _ in range(10)])
    assert len({token(answer) for answer in answers}) == 1
    assert await desk.is_live(token(answers[0]))


async def test_a_token_that_comes_back_late_ends_its_session(desk: Desk) -> None:
    ann = await desk.person()
    elsewhere = await desk.login(ann)
    second = token(await desk.refresh(ann.refresh_token))
    third = token(await desk.refresh(second))
    answer = await desk.refresh(ann.refresh_token)
    assert code(answer) == (401, "REFRESH_TOKEN_REUSED")
    assert answer.headers["www-authenticate"] == "Bearer"
    for dead in (third, second, ann.refresh_token):
        assert code(await desk.refresh(dead)) == (401, "UNAUTHENTICATED")
    assert await desk.is_live(elsewhere.refresh_token)
    last = (await desk.events(ann))[-2:]
    assert [e.subject for e in last] == ["auth.token.reused.v1", "auth.session.revoked.v1"]
    assert last[0].data == {"userId": str(ann.id), "sessionId": ann.session_id}
    assert last[1].data["reason"] == "reused"


async def test_two_thieves_end_a_session_once(desk: Desk) -> None:
    ann = await desk.person()
    second = token(await desk.refresh(ann.refresh_token))
    assert await desk.is_live(second)
    answers = await asyncio.gather(*[desk.refresh(ann.refresh_token) for _ in range(5)])
    assert {answer.status_code for answer in answers} == {401}
    assert (await desk.subjects(ann)).count("token.reused") == 1
    assert (await desk.subjects(ann)).count("session.revoked") == 1


async def test_the_grace_is_short(serve: Serving, desk: Desk) -> None:
    async with serve(REFRESH_GRACE_S="0") as client:
        desk.client = client
        ann = await desk.person()
        second = token(await desk.refresh(ann.refresh_token))
        assert code(await desk.refresh(ann.refresh_token)) == (401, "REFRESH_TOKEN_REUSED")
        assert not await desk.is_live(second)


async def test_a_session_has_its_end(desk: Desk) -> None:
    ann = await desk.person()
    await desk.run(
        "UPDATE session SET expires_at = now() WHERE CAST(id AS text) = :id", id=ann.session_id
    )
    assert code(await desk.refresh(ann.refresh_token)) == (401, "UNAUTHENTICATED")
    assert (await desk.call("GET", "/sessions", ann)).json()["data"] == []


@pytest.mark.parametrize("value", ["", "x", "x" * 512, "a\u0000b", "\u20ac", "wl_a_b"])
async def test_what_was_never_given_out_is_not_good(desk: Desk, value: str) -> None:
    assert code(await desk.refresh(value)) == (401, "UNAUTHENTICATED")


async def test_an_access_token_refreshes_nothing(desk: Desk) -> None:
    ann = await desk.person()
    answer = await desk.refresh(ann.access_token)
    assert answer.status_code in {400, 401}


async def test_each_fault_of_a_refresh_is_named(desk: Desk) -> None:
    sends = {"refreshToken": 1, "token": "x"}
    answer = await desk.call("POST", "/refresh", sends=sends)
    assert faulty(answer) == ["refreshToken", "token"]
    long = await desk.call("POST", "/refresh", sends={"refreshToken": "x" * 513})
    assert faulty(long) == ["refreshToken"]
    assert code(await desk.call("POST", "/refresh")) == (401, "UNAUTHENTICATED")


async def test_logging_out_while_refreshing_leaves_nothing_alive(desk: Desk) -> None:
    ann = await desk.person()

    async def stay() -> str:
        current = ann.refresh_token
        while (answer := await desk.refresh(current)).status_code == 200:
            current = token(answer)
        assert code(answer) == (401, "UNAUTHENTICATED")
        return current

    async def leave() -> None:
        await asyncio.sleep(0.05)
        assert (await desk.call("POST", "/logout?scope=all", ann)).status_code == 204

    current, _ = await asyncio.gather(stay(), leave())
    assert not await desk.is_live(current)


async def in_browser(desk: Desk, ann: Person) -> tuple[str, str]:
    """Log somebody in as a browser does; return its cookies and the CSRF token."""
    sends = {"login": ann.email, "password": ann.password}
    answer = await desk.call("POST", "/login", sends=sends)
    jar = cookies(answer)
    line = "; ".join(f"{name}={jar[name].value}" for name in ("wl_refresh", "wl_csrf"))
    return line, answer.json()["data"]["csrfToken"]


async def test_a_cookie_needs_the_page_s_word_beside_it(desk: Desk) -> None:
    ann = await desk.person()
    cookie, csrf = await in_browser(desk, ann)
    for path in ("/refresh", "/logout"):
        for given in ("", "guess", csrf[:-1], f"{csrf}x"):
            answer = await desk.call("POST", path, cookie=cookie, x_csrf_token=given)
            assert code(answer) == (403, "CSRF_FAILED")
        assert code(await desk.call("POST", path, cookie=cookie)) == (403, "CSRF_FAILED")
    bare = cookie.split("; ")[0]
    answer = await desk.call("POST", "/refresh", cookie=bare, x_csrf_token=csrf)
    assert code(answer) == (403, "CSRF_FAILED")
    answer = await desk.call("POST", "/refresh", cookie=cookie, x_csrf_token=csrf)
    assert answer.status_code == 200
    assert "refreshToken" not in answer.json()["data"]
    assert cookies(answer)["wl_refresh"].value not in cookie
    assert answer.json()["data"]["csrfToken"] == cookies(answer)["wl_csrf"].value


async def test_a_csrf_token_is_good_for_one_session(desk: Desk) -> None:
    ann, bob = await desk.person(), await desk.person()
    cookie, _ = await in_browser(desk, ann)
    _, other = await in_browser(desk, bob)
    # an attacker who can plant a cookie plants their own pair of tokens
    planted = f"{cookie.split('; ')[0]}; wl_csrf={other}"
    for path in ("/refresh", "/logout?scope=all"):
        answer = await desk.call("POST", path, cookie=planted, x_csrf_token=other)
        assert code(answer) == (403, "CSRF_FAILED")
    assert await desk.is_live(ann.refresh_token)


async def test_cookies_that_were_planted_beside_ones_own_are_not_followed(desk: Desk) -> None:
    ann, mallory = await desk.person(), await desk.person()
    own, csrf = await in_browser(desk, ann)
    planted, other = await in_browser(desk, mallory)
    first, second = own.split("; ")
    theirs, their_csrf = planted.split("; ")
    for cookie, token in (
        (f"{first}; {theirs}; {their_csrf}", other),
        (f"{theirs}; {first}; {second}", csrf),
        (f"{first}; {second}; {their_csrf}", other),
    ):
        for path in ("/refresh", "/logout?scope=all"):
            answer = await desk.call("POST", path, cookie=cookie, x_csrf_token=token)
            assert code(answer) == (403, "CSRF_FAILED")
    assert await desk.is_live(ann.refresh_token)
    assert await desk.is_live(mallory.refresh_token)


async def test_a_bearer_needs_no_csrf_token(desk: Desk) -> None:
    ann = await desk.person()
    cookie, _ = await in_browser(desk, ann)
    answer = await desk.call("POST", "/logout", ann, cookie=cookie)
    assert answer.status_code == 204


async def test_leaving_in_a_browser_takes_the_cookies(desk: Desk) -> None:
    ann = await desk.person()
    cookie, csrf = await in_browser(desk, ann)
    answer = await desk.call("POST", "/logout", cookie=cookie, x_csrf_token=csrf)
    assert answer.status_code == 204
    assert {cookies(answer)[name]["max-age"] for name in ("wl_refresh", "wl_csrf")} == {"0"}
    again = await desk.call("POST", "/refresh", cookie=cookie, x_csrf_token=csrf)
    assert code(again) == (401, "UNAUTHENTICATED")
