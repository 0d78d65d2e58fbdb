"""Administrators: by the database's word alone, over others alone, and with effect at once."""

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa
from services.auth.tests.desk import Desk, Person, code, faulty

from common.ids import uuid7

USERS = "/api/v1/users"
LIVE = (
    "SELECT count(*) AS value FROM session WHERE CAST(account_id AS text) = :id"
    " AND revoked_at IS NULL"
)


async def administrator(desk: Desk) -> Person:
    """Somebody whom an operator has made an administrator."""
    ann = await desk.person()
    await desk.run("UPDATE account SET role = 'admin' WHERE id = :id", id=ann.id)
    return ann


async def changed(desk: Desk, admin: Person, who: Person, **changes: Any) -> dict[str, Any]:
    """What an account is after an administrator has changed it."""
    answer = await desk.call("PATCH", f"{USERS}/{who.id}", admin, sends=changes)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


async def audited(desk: Desk, who: Person, action: str) -> list[dict[str, Any]]:
    """What is noted of somebody, of one kind."""
    answer = await desk.call("GET", f"{USERS}/me/audit?action={action}", who)
    data: list[dict[str, Any]] = answer.json()["data"]
    return data


async def live(desk: Desk, who: Person) -> int:
    """How many sessions somebody has."""
    return await desk.one(LIVE, sa.BigInteger(), id=str(who.id))


async def test_others_are_refused_whatever_their_token_says(desk: Desk) -> None:
    ann, bob = await desk.person(), await desk.person()
    calls: list[tuple[str, str, object]] = [
        ("GET", USERS, None),
        ("PATCH", f"{USERS}/{bob.id}", {"role": "admin"}),
        ("PATCH", f"{USERS}/{ann.id}", {"role": "admin"}),
        ("PATCH", f"{USERS}/{uuid7()}", {}),
    ]
    for method, path, sends in calls:
        forged = await desk.call(method, path, ann, sends=sends, x_auth_role="admin")
        assert code(forged) == (403, "FORBIDDEN")
        assert code(await desk.call(method, path, sends=sends)) == (401, "UNAUTHENTICATED")
    admin = await administrator(desk)
    key = {"x_auth_method": "api_key", "x_auth_scopes": "users:read", "x_auth_role": "admin"}
    for method, path, sends in calls:
        by_key = await desk.call(method, path, admin, sends=sends, **key)
        assert code(by_key) == (403, "INSUFFICIENT_SCOPE")
    # an older token knows nothing of it yet
    assert (await desk.call("GET", USERS, admin, x_auth_role="user")).status_code == 200
    await desk.run("UPDATE account SET is_disabled = true WHERE id = :id", id=admin.id)
    assert code(await desk.call("GET", USERS, admin)) == (403, "FORBIDDEN")


async def test_an_administrator_finds_accounts(desk: Desk) -> None:
    admin = await administrator(desk)
    bob, eve = await desk.person(displayName="Bob"), await desk.person()
    answer = await desk.call("GET", f"{USERS}?q={desk.mark}&sort=username&limit=2", admin)
    page = answer.json()
    assert [one["username"] for one in page["data"]] == [admin.username, bob.username]
    meta = {name: page["meta"][name] for name in ("total", "pages", "hasNext")}
    assert meta == {"total": 3, "pages": 2, "hasNext": True}
    assert 'rel="next"' in answer.headers["link"]
    found = page["data"][1]
    times = {name: found.pop(name) for name in ("createdAt", "updatedAt", "lastSeenAt")}
    assert all(time.endswith("Z") for time in times.values())
    assert found == {
        "id": str(bob.id),
        "email": bob.email,
        "username": bob.username,
        "displayName": "Bob",
        "avatarUrl": None,
        "role": "user",
        "emailVerified": False,
        "disabled": False,
    }
    for query, people in {
        f"q={eve.email.upper()}": [eve],
        f"q={desk.mark}&sort=-createdAt": [eve, bob, admin],
        f"q={desk.mark}&sort=createdAt&page=2&limit=2": [eve],
        f"q={desk.mark}&sort=-email": [eve, bob, admin],
        f"q={desk.mark}%25": [],
        f"q=_{desk.mark[1:]}": [],
        f"q={desk.mark}%5C": [],
    }.items():
        data = (await desk.call("GET", f"{USERS}?{query}", admin)).json()["data"]
        assert [one["id"] for one in data] == [str(one.id) for one in people], query


@pytest.mark.parametrize("query", ["sort=password", "q=%00", "page=0", "limit=0", "limit=x"])
async def test_a_list_is_asked_for_in_its_form(desk: Desk, query: str) -> None:
    admin = await administrator(desk)
    answer = await desk.call("GET", f"{USERS}?{query}", admin)
    assert faulty(answer) == [query.partition("=")[0]]


@pytest.mark.parametrize(
    "sends",
    [
        {"role": "owner"},
        {"role": None},
        {"disabled": "yes"},
        {"disabled": None},
        {"email": "x@example.org"},
        {"emailVerified": True},
        {"id": "0190a000-0000-7000-8000-000000000001"},
        [],
    ],
)
async def test_an_administrator_changes_role_and_access_alone(desk: Desk, sends: object) -> None:
    admin, bob = await administrator(desk), await desk.person()
    answer = await desk.call("PATCH", f"{USERS}/{bob.id}", admin, sends=sends)
    assert code(answer) == (400, "VALIDATION_ERROR")
    assert "user.role_changed" not in await desk.subjects(bob)


async def test_a_role_is_given_and_taken(desk: Desk) -> None:
    admin, bob = await administrator(desk), await desk.person()
    assert (await changed(desk, admin, bob, role="admin"))["role"] == "admin"
    assert await live(desk, bob) == 1
    assert (await desk.call("GET", USERS, bob)).status_code == 200
    assert (await changed(desk, admin, bob, role="user"))["role"] == "user"
    assert await live(desk, bob) == 0
    assert code(await desk.call("GET", USERS, bob)) == (403, "FORBIDDEN")
    # the same again is no change
    await changed(desk, admin, bob, role="user")
    events = [e.data for e in await desk.events(bob) if e.subject == "auth.user.role_changed.v1"]
    told = {"userId": str(bob.id), "actorId": str(admin.id)}
    assert events == [{**told, "role": "admin"}, {**told, "role": "user"}]
    taken, given = await audited(desk, bob, "role.changed")
    assert {given["actorId"], taken["actorId"]} == {str(admin.id)}
    assert given["details"] == {"before": {"role": "user"}, "after": {"role": "admin"}}
    assert taken["details"] == {"before": {"role": "admin"}, "after": {"role": "user"}}


async def test_who_is_disabled_has_nothing_left_to_come_with(desk: Desk) -> None:
    admin, bob = await administrator(desk), await desk.person()
    other, key = await desk.login(bob), (await desk.key(bob))["key"]
    ticket = (await desk.call("POST", "/ws-ticket", bob)).json()["data"]["ticket"]
    assert (await changed(desk, admin, bob, disabled=True))["disabled"] is True
    for token in (bob.refresh_token, other.refresh_token):
        assert code(await desk.refresh(token)) == (401, "UNAUTHENTICATED")
    assert (await desk.authorized(key)).status_code == 401
    redeemed = await desk.call("POST", "/internal/ws-tickets/redeem", sends={"ticket": ticket})
    assert redeemed.status_code == 404
    login = {"login": bob.email, "password": bob.password}
    refused = await desk.call("POST", "/login", sends=login)
    assert code(refused) == (401, "INVALID_CREDENTIALS")
    assert (await desk.call("GET", f"{USERS}/{bob.username}")).status_code == 404
    subjects = await desk.subjects(bob)
    assert subjects.count("session.revoked") == 2
    assert subjects.count("user.disabled") == 1
    reasons = {e.data["reason"] for e in await desk.events(bob) if "revoked" in e.subject}
    assert reasons == {"account_disabled"}

    assert (await changed(desk, admin, bob, disabled=False))["disabled"] is False
    assert (await desk.subjects(bob))[-1] == "user.enabled"
    again = await desk.login(bob)
    assert (await desk.authorized(key)).status_code == 200
    assert not await desk.is_live(bob.refresh_token)
    (disabled,) = await audited(desk, again, "account.disabled")
    assert disabled["actorId"] == str(admin.id)
    assert disabled["details"] == {"before": {"disabled": False}, "after": {"disabled": True}}
    (enabled,) = await audited(desk, again, "account.enabled")
    assert enabled["details"] == {"before": {"disabled": True}, "after": {"disabled": False}}
    ended = await audited(desk, again, "session.revoked")
    assert {entry["actorId"] for entry in ended} == {str(admin.id)}


async def test_an_administrator_does_not_change_themselves(desk: Desk) -> None:
    admin = await administrator(desk)
    for sends in ({"role": "user"}, {"disabled": True}, {}):
        answer = await desk.call("PATCH", f"{USERS}/{admin.id}", admin, sends=sends)
        assert code(answer) == (409, "CONFLICT")
    for nobody in (uuid7(), "ann", "me"):
        answer = await desk.call("PATCH", f"{USERS}/{nobody}", admin, sends={"role": "user"})
        assert answer.status_code in {400, 404}


async def test_of_two_who_depose_each_other_one_stays(desk: Desk) -> None:
    for _ in range(5):
        ann, bob = await administrator(desk), await administrator(desk)
        answers = await asyncio.gather(
            desk.call("PATCH", f"{USERS}/{bob.id}", ann, sends={"role": "user"}),
            desk.call("PATCH", f"{USERS}/{ann.id}", bob, sends={"disabled": True}),
        )
        assert sorted(answer.status_code for answer in answers) == [200, 403]


async def test_nobody_slips_in_while_they_are_disabled(desk: Desk) -> None:
    admin, bob = await administrator(desk), await desk.person()
    login = {"login": bob.email, "password": bob.password, "tokenDelivery": "body"}
    disabling = desk.call("PATCH", f"{USERS}/{bob.id}", admin, sends={"disabled": True})
    # no more than may fail: who tries too often is told so
    logins = [desk.call("POST", "/login", sends=login) for _ in range(4)]
    answers = await asyncio.gather(*logins[:2], disabling, *logins[2:])
    assert {answer.status_code for answer in answers} <= {200, 401}
    assert await live(desk, bob) == 0


async def test_a_key_without_the_scope_reads_no_profiles(desk: Desk) -> None:
    ann = await desk.person()
    path = f"{USERS}/{ann.username}"
    key = {"x_auth_method": "api_key", "x_auth_scopes": "projects:read"}
    assert code(await desk.call("GET", path, ann, **key)) == (403, "INSUFFICIENT_SCOPE")
    key = {"x_auth_method": "api_key", "x_auth_scopes": "users:read"}
    assert (await desk.call("GET", path, ann, **key)).status_code == 200
    assert (await desk.call("GET", path)).status_code == 200
