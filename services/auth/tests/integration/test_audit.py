"""What happened to accounts: noted with the deed, and read by whose account it is."""

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa
from services.auth.tests.desk import ADDRESS, Desk, Person, code, faulty

from auth.audit import service
from common.testing.apps import Serving
from common.testing.waiting import until

ME = "/api/v1/users/me"
PATH = f"{ME}/audit"


async def told(desk: Desk, who: Person, query: str = "") -> list[dict[str, Any]]:
    """What somebody reads of themselves, the newest first."""
    answer = await desk.call("GET", f"{PATH}{query}", who)
    assert answer.status_code == 200, answer.text
    data: list[dict[str, Any]] = answer.json()["data"]
    return data


async def test_what_one_does_is_noted_with_who_whence_and_what(desk: Desk) -> None:
    ann = await desk.person()
    request = {"x_request_id": "request-of-ann", "user_agent": "Editor/1.0"}
    sends = {"name": "ci", "scopes": ["builds:write"]}
    made = (await desk.call("POST", "/api-keys", ann, sends=sends, **request)).json()["data"]
    await desk.call("DELETE", f"/api-keys/{made['id']}", ann)
    await desk.call("POST", "/logout", ann)
    entries = await told(desk, ann)
    assert [entry["action"] for entry in entries] == [
        "session.revoked",
        "api_key.revoked",
        "api_key.created",
        "session.started",
        "account.registered",
    ]
    assert {(entry["actorId"], entry["address"]) for entry in entries} == {(str(ann.id), ADDRESS)}
    ended, revoked, created, started, registered = entries
    assert set(created) == {
        *("id", "at", "action", "actorId", "address", "userAgent", "requestId", "details")
    }
    assert (created["requestId"], created["userAgent"]) == ("request-of-ann", "Editor/1.0")
    after = {**sends, "networks": [], "projectId": None, "expiresAt": None}
    assert created["details"] == {"keyId": made["id"], "after": after}
    before = {"name": "ci", "scopes": ["builds:write"]}
    assert revoked["details"] == {"keyId": made["id"], "before": before}
    assert ended["details"] == {"sessionIds": [ann.session_id], "reason": "logout"}
    assert started["details"] == {"sessionId": ann.session_id}
    assert registered["details"] == {"after": {"username": ann.username, "email": ann.email}}


async def test_a_stolen_token_is_noted(desk: Desk) -> None:
    ann = await desk.person()
    successor = (await desk.refresh(ann.refresh_token)).json()["data"]["refreshToken"]
    await desk.refresh(successor)
    assert (await desk.refresh(ann.refresh_token)).status_code == 401
    assert (await desk.refresh(ann.refresh_token)).status_code == 401
    again = await desk.login(ann)
    reused = await told(desk, again, "?action=token.reused")
    assert [(entry["actorId"], entry["address"]) for entry in reused] == [(None, ADDRESS)]
    assert reused[0]["details"] == {"sessionId": ann.session_id}


async def test_who_takes_another_name_is_noted_with_the_one_before(desk: Desk) -> None:
    ann, bob = await desk.person(), await desk.person()
    again, last = f"{ann.username}-2", f"{ann.username}-2".upper()
    for name in (again, again, last):
        answer = await desk.call("PATCH", ME, ann, sends={"username": name, "displayName": "Ann"})
        assert answer.json()["data"]["username"] == name
    # what is no other name, or is somebody else's, is nothing to note
    assert (await desk.call("PATCH", ME, ann, sends={"displayName": "Anna"})).is_success
    taken = await desk.call("PATCH", ME, ann, sends={"username": bob.username})
    assert code(taken) == (409, "USERNAME_TAKEN")
    entries = await told(desk, ann, "?action=username.changed")
    assert [entry["details"] for entry in entries] == [
        {"before": again, "after": last},
        {"before": ann.username, "after": again},
    ]
    assert {(entry["actorId"], entry["address"]) for entry in entries} == {(str(ann.id), ADDRESS)}


async def test_names_that_are_taken_at_once_are_noted_one_after_another(desk: Desk) -> None:
    ann = await desk.person()
    names = [f"{ann.username}-{number}" for number in range(6)]
    answers = await asyncio.gather(
        *[desk.call("PATCH", ME, ann, sends={"username": name}) for name in names]
    )
    assert {answer.status_code for answer in answers} == {200}
    entries = await told(desk, ann, "?action=username.changed")
    assert sorted(entry["details"]["after"] for entry in entries) == names
    # each begins with what another has left: no name is left twice
    after = {entry["details"]["before"]: entry["details"]["after"] for entry in entries}
    assert len(after) == len(names)
    now = (await desk.call("GET", ME, ann)).json()["data"]["username"]
    assert set(names) - set(after) == {now}


async def test_who_asks_for_another_address_is_noted_before_it_is_theirs(desk: Desk) -> None:
    ann, bob = await desk.person(), await desk.person()
    asks = {"email": f"new-{ann.email}", "currentPassword": ann.password}
    for wrong in (
        {"currentPassword": "wrong password"},
        {"email": bob.email},
        {"email": ann.email},
    ):
        await desk.call("PATCH", ME, ann, sends=asks | wrong)
    assert await told(desk, ann, "?action=email.change_asked") == []
    assert (await desk.call("PATCH", ME, ann, sends=asks)).is_success
    (entry,) = await told(desk, ann, "?action=email.change_asked")
    assert entry["details"] == {"wanted": f"new-{ann.email}"}
    assert (entry["actorId"], entry["address"]) == (str(ann.id), ADDRESS)
    assert await told(desk, ann, "?action=email.changed") == []


async def test_what_does_not_happen_is_not_noted(desk: Desk) -> None:
    ann, bob = await desk.person(), await desk.person()
    await desk.call("DELETE", f"/sessions/{ann.session_id}", bob)
    await desk.call("DELETE", f"/api-keys/{(await desk.key(ann))['id']}", bob)
    taken = desk.registration(username=ann.username)
    assert (await desk.call("POST", "/register", sends=taken)).status_code == 409
    for who, count in ((ann, 3), (bob, 2)):
        assert len(await told(desk, who)) == count


async def test_everybody_reads_of_themselves_alone(desk: Desk) -> None:
    ann, bob = await desk.person(), await desk.person()
    await desk.key(ann)
    assert {e["actorId"] for e in await told(desk, bob)} == {str(bob.id)}
    assert code(await desk.call("GET", PATH)) == (401, "UNAUTHENTICATED")
    key = {"x_auth_method": "api_key", "x_auth_scopes": "users:read"}
    assert code(await desk.call("GET", PATH, ann, **key)) == (403, "INSUFFICIENT_SCOPE")


async def test_the_feed_is_read_in_stretches(desk: Desk) -> None:
    ann = await desk.person()
    for _ in range(5):
        await desk.key(ann)
    whole = await told(desk, ann)
    seen: list[dict[str, Any]] = []
    path: str | None = f"{PATH}?limit=3"
    while path:
        answer = await desk.call("GET", path, ann)
        meta = answer.json()["meta"]
        seen += answer.json()["data"]
        # who reads on does not see what came meanwhile
        await desk.key(ann)
        assert meta["limit"] == 3
        path = f"{PATH}?limit=3&cursor={meta['nextCursor']}" if meta["nextCursor"] else None
        if path:
            assert meta["nextCursor"] in answer.headers["link"]
            assert answer.headers["link"].endswith('rel="next"')
        else:
            assert "link" not in answer.headers
    assert seen == whole
    assert len(seen) == 7


@pytest.mark.parametrize("cursor", ["", "x", "AAAA", "\u20ac", "JSc", "MDE5MGEwMDA"])
async def test_a_cursor_is_one_that_was_given_out(desk: Desk, cursor: str) -> None:
    ann = await desk.person()
    answer = await desk.call("GET", f"{PATH}?cursor={cursor}", ann)
    assert code(answer) == (400, "CURSOR_INVALID")


@pytest.mark.parametrize(
    ("query", "field"),
    [("limit=0", "limit"), ("limit=x", "limit"), ("action=X", "action"), ("action=%00", "action")],
)
async def test_what_is_asked_for_has_its_form(desk: Desk, query: str, field: str) -> None:
    assert faulty(await desk.call("GET", f"{PATH}?{query}", await desk.person())) == [field]


async def test_a_large_limit_is_clamped(desk: Desk) -> None:
    answer = await desk.call("GET", f"{PATH}?limit=1000", await desk.person())
    assert answer.json()["meta"]["limit"] == 100


async def test_one_sees_at_once_what_the_ledger_does_not_have_yet(
    desk: Desk, alone: Serving
) -> None:
    async with alone() as client:
        desk.client = client
        ann = await desk.person()
        for _ in range(4):
            await desk.key(ann)
        whole = await told(desk, ann)
        assert len(whole) == 6
        for _ in range(3):
            await service.seal(client.db, 3)
            assert await told(desk, ann) == whole
            first = await told(desk, ann, "?limit=1")
            assert first == whole[:1]


async def test_the_service_seals_by_itself(desk: Desk) -> None:
    ann = await desk.person()
    count = len(await told(desk, ann))

    async def is_sealed() -> bool:
        statement = "SELECT count(*) AS value FROM auth_audit.entry WHERE account_id = :id"
        return await desk.one(statement, sa.BigInteger(), id=ann.id) == count

    assert await until(is_sealed)
