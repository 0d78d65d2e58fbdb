"""Sessions: listed, ended one by one or together; and tickets for their sockets."""

import asyncio

import httpx
import pytest
from services.auth.tests.desk import Desk, Person, code, faulty

from common.ids import uuid7

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


async def test_logging_out_ends_this_session(desk: Desk) -> None:
    ann = await desk.person()
    other = await desk.login(ann)
    gone = await desk.call("POST", "/logout", ann)
    assert (gone.status_code, gone.content) == (204, b"")
    assert not await desk.is_live(ann.refresh_token)
    assert await desk.is_live(other.refresh_token)
    assert (await desk.call("POST", "/logout", ann)).status_code == 204
    assert (await desk.subjects(ann)).count("session.revoked") == 1
    last = (await desk.events(ann))[-1].data
    assert (last["sessionId"], last["reason"]) == (ann.session_id, "logout")


async def test_logging_out_others_spares_this_session(desk: Desk) -> None:
    ann, bob = await desk.person(), await desk.person()
    others = [await desk.login(ann) for _ in range(3)]
    assert (await desk.call("POST", "/logout?scope=others", ann)).status_code == 204
    assert [await desk.is_live(one.refresh_token) for one in others] == [False] * 3
    assert await desk.is_live(ann.refresh_token)
    assert await desk.is_live(bob.refresh_token)
    ended = [
        e.data["sessionId"] for e in await desk.events(ann) if e.subject.endswith("revoked.v1")
    ]
    assert sorted(ended) == sorted(one.session_id for one in others)


async def test_logging_out_everywhere_ends_every_session(desk: Desk) -> None:
    ann = await desk.person()
    other = await desk.login(ann)
    await asyncio.gather(*[desk.call("POST", "/logout?scope=all", ann) for _ in range(5)])
    for one in (ann, other):
        assert not await desk.is_live(one.refresh_token)
    assert (await desk.subjects(ann)).count("session.revoked") == 2


async def test_a_refresh_token_is_enough_to_leave(desk: Desk) -> None:
    ann = await desk.person()
    sends = {"refreshToken": ann.refresh_token}
    assert (await desk.call("POST", "/logout", sends=sends)).status_code == 204
    assert not await desk.is_live(ann.refresh_token)
    again = await desk.call("POST", "/logout?scope=all", sends=sends)
    assert code(again) == (401, "UNAUTHENTICATED")
    assert code(await desk.call("POST", "/logout")) == (401, "UNAUTHENTICATED")


async def test_one_leaves_in_one_of_three_ways(desk: Desk) -> None:
    ann = await desk.person()
    answer = await desk.call("POST", "/logout?scope=some", ann)
    assert faulty(answer) == ["scope"]


async def test_a_session_is_ended_from_elsewhere(desk: Desk) -> None:
    ann, bob = await desk.person(), await desk.person()
    other = await desk.login(ann)
    path = f"/sessions/{other.session_id}"
    assert code(await desk.call("DELETE", path, bob)) == (404, "NOT_FOUND")
    assert await desk.is_live(other.refresh_token)
    gone = await desk.call("DELETE", path, ann)
    assert (gone.status_code, gone.content) == (204, b"")
    assert not await desk.is_live(other.refresh_token)
    assert code(await desk.call("DELETE", path, ann)) == (404, "NOT_FOUND")
    for nothing in (uuid7(), "x"):
        assert (await desk.call("DELETE", f"/sessions/{nothing}", ann)).status_code == 404
    listed = (await desk.call("GET", "/sessions", ann)).json()["data"]
    assert [one["id"] for one in listed] == [ann.session_id]


async def test_a_session_says_on_what_device_it_is(desk: Desk) -> None:
    ann = await desk.person()
    for agent in (FIREFOX, "curl/8.5.0", "", "(((" * 130):
        sends = {"login": ann.email, "password": ann.password}
        answer = await desk.call("POST", "/login", sends=sends, user_agent=agent)
        assert answer.status_code == 200, answer.text
    listed = (await desk.call("GET", "/sessions", ann)).json()["data"]
    devices = {one["userAgent"]: one["device"] for one in listed}
    assert devices[FIREFOX] == "Firefox on Linux"
    assert (devices["curl/8.5.0"], devices[""]) == ("curl", "unknown")


@pytest.mark.parametrize("path", ["/sessions", "/ws-ticket", "/api-keys"])
async def test_an_api_key_is_no_session(desk: Desk, path: str) -> None:
    ann = await desk.person()
    headers = {"x_auth_method": "api_key", "x_auth_scopes": "projects:read builds:write"}
    method = "POST" if path == "/ws-ticket" else "GET"
    answer = await desk.call(method, path, ann, **headers)
    assert code(answer) == (403, "INSUFFICIENT_SCOPE")


async def redeemed(desk: Desk, ticket: str) -> httpx.Response:
    """Ask as a socket's service asks."""
    return await desk.call("POST", "/internal/ws-tickets/redeem", sends={"ticket": ticket})


async def ticket_of(desk: Desk, who: Person) -> str:
    """Get a ticket."""
    answer = await desk.call("POST", "/ws-ticket", who)
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    data = answer.json()["data"]
    assert set(data) == {"ticket", "expiresAt"}
    ticket: str = data["ticket"]
    return ticket


async def test_a_ticket_is_good_once(desk: Desk) -> None:
    ann = await desk.person(displayName="Ann")
    ticket = await ticket_of(desk, ann)
    answer = await redeemed(desk, ticket)
    assert answer.json() == {
        "userId": str(ann.id),
        "sessionId": ann.session_id,
        "role": "user",
        "username": ann.username,
        "displayName": "Ann",
    }
    assert (await redeemed(desk, ticket)).status_code == 404


async def test_of_many_who_come_with_a_ticket_one_gets_in(desk: Desk) -> None:
    ann = await desk.person()
    ticket = await ticket_of(desk, ann)
    answers = await asyncio.gather(*[redeemed(desk, ticket) for _ in range(8)])
    assert sorted(answer.status_code for answer in answers) == [200] + [404] * 7


async def test_a_ticket_does_not_last(desk: Desk) -> None:
    ann = await desk.person()
    late, fresh = await ticket_of(desk, ann), await ticket_of(desk, ann)
    await desk.run(
        "UPDATE ticket SET expires_at = now() - interval '1 second'"
        " WHERE CAST(session_id AS text) = :id AND hash = sha256(convert_to(:ticket, 'UTF8'))",
        id=ann.session_id,
        ticket=late,
    )
    assert (await redeemed(desk, late)).status_code == 404
    assert (await redeemed(desk, fresh)).status_code == 200


async def test_a_ticket_ends_with_its_session(desk: Desk) -> None:
    ann = await desk.person()
    ticket = await ticket_of(desk, ann)
    await desk.call("POST", "/logout", ann)
    assert (await redeemed(desk, ticket)).status_code == 404
    assert code(await desk.call("POST", "/ws-ticket", ann)) == (401, "UNAUTHENTICATED")


@pytest.mark.parametrize("value", ["", "x", "\u0000", "x" * 512])
async def test_no_other_word_is_a_ticket(desk: Desk, value: str) -> None:
    assert (await redeemed(desk, value)).status_code == 404


async def test_tickets_are_the_fleet_s_affair(desk: Desk) -> None:
    ann = await desk.person()
    ticket = await ticket_of(desk, ann)
    answer = await desk.client.post("/internal/ws-tickets/redeem", json={"ticket": ticket})
    assert code(answer) == (401, "UNAUTHENTICATED")
    assert (await redeemed(desk, ticket)).status_code == 200
