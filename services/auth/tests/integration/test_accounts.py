"""Accounts: registering, being shown, being called something else."""

import pytest
import sqlalchemy as sa
from services.auth.tests.desk import Desk, code, faulty

from common.ids import uuid7

USER = {
    "id",
    "email",
    "username",
    "displayName",
    "avatarUrl",
    "role",
    "emailVerified",
    "createdAt",
    "updatedAt",
}


async def test_registering_makes_an_account_and_logs_in(desk: Desk) -> None:
    new = desk.registration()
    answer = await desk.call("POST", "/register", sends=new)
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == "/api/v1/users/me"
    assert answer.headers["cache-control"] == "no-store"
    data = answer.json()["data"]
    assert set(data) == {"user", "accessToken", "tokenType", "expiresIn", "csrfToken"}
    assert (data["tokenType"], data["expiresIn"]) == ("Bearer", 600)
    user = data["user"]
    assert set(user) == USER
    assert (user["email"], user["username"]) == (new["email"], new["username"])
    assert (user["displayName"], user["role"]) == (new["username"], "user")
    assert (user["avatarUrl"], user["emailVerified"]) == (None, False)
    assert user["createdAt"].endswith("Z")


async def test_registering_is_announced_without_secrets(desk: Desk) -> None:
    ann = await desk.person(displayName="Ann")
    assert await desk.subjects(ann) == ["user.registered", "session.started"]
    registered, started = await desk.events(ann)
    assert registered.data == {
        "userId": str(ann.id),
        "username": ann.username,
        "displayName": "Ann",
    }
    assert started.data["address"] == "198.51.100.7"
    text = str([event.data for event in (registered, started)])
    assert ann.refresh_token not in text
    assert ann.email not in text


async def test_what_is_kept_of_a_password_is_argon2id(desk: Desk) -> None:
    ann = await desk.person()
    kept = await desk.one(
        "SELECT password_hash AS value FROM account WHERE id = :id", sa.Text(), id=ann.id
    )
    assert kept.startswith("$argon2id$v=19$")
    assert ann.password not in kept


async def test_an_address_and_a_name_are_taken_whatever_their_case(desk: Desk) -> None:
    ann = await desk.person()
    same = desk.registration(email=ann.email.upper())
    answer = await desk.call("POST", "/register", sends=same)
    assert code(answer) == (409, "EMAIL_TAKEN")
    assert answer.json()["error"]["details"] == [{"field": "email"}]
    same = desk.registration(username=ann.username.upper())
    answer = await desk.call("POST", "/register", sends=same)
    assert code(answer) == (409, "USERNAME_TAKEN")


async def test_each_fault_of_a_registration_is_named(desk: Desk) -> None:
    wrong = {"email": "nope", "username": "x", "password": "short", "role": "admin", "id": "1"}
    answer = await desk.call("POST", "/register", sends=wrong)
    assert faulty(answer) == ["email", "id", "password", "role", "username"]
    assert faulty(await desk.call("POST", "/register", sends={})) == [
        "email",
        "password",
        "username",
    ]
    kinds: dict[str, object] = {"email": 1, "username": None, "password": ["x"], "displayName": {}}
    assert faulty(await desk.call("POST", "/register", sends=kinds)) == [
        "displayName",
        "email",
        "password",
        "username",
    ]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "a@b"),
        ("email", "a b@example.org"),
        ("email", "a@example.org\n"),
        ("email", "a@-example.org"),
        ("email", "a@example..org"),
        ("email", "@example.org"),
        ("email", "a\u0000@example.org"),
        ("email", "a" * 65 + "@example.org"),
        ("email", "a@" + "b" * 250 + ".org"),
        ("username", "ab"),
        ("username", "a" * 33),
        ("username", "-abc"),
        ("username", "abc-"),
        ("username", "a b c"),
        ("username", "abc\n"),
        ("username", "a@b.c"),
        ("username", "\u00e4\u00f6\u00fc"),
        ("displayName", "   "),
        ("displayName", "Ann\n"),
        ("displayName", "A\u0000nn"),
        ("displayName", "x" * 101),
        ("tokenDelivery", "pigeon"),
    ],
)
async def test_what_an_account_cannot_be_called(desk: Desk, field: str, value: str) -> None:
    new = desk.registration(**{field: value})
    assert faulty(await desk.call("POST", "/register", sends=new)) == [field]


@pytest.mark.parametrize(
    "password", ["a" * 64, "\u20ac" * 25, "b" * 200, "\U0001f4a5" * 8, "c" * 1024]
)
async def test_a_password_is_taken_whole_and_exactly(desk: Desk, password: str) -> None:
    ann = await desk.person(password=password)
    assert (await desk.login(ann)).id == ann.id
    for wrong in (password[:-1], password + "x", password[:72], password.upper() + " "):
        answer = await desk.call("POST", "/login", sends={"login": ann.email, "password": wrong})
        refused = [(401, "INVALID_CREDENTIALS"), (400, "VALIDATION_ERROR")]
        assert wrong == password or code(answer) in refused


@pytest.mark.parametrize("password", ["a" * 7, "a" * 1025, "abcd\u0000efgh", "x" * 1_000_000])
async def test_what_a_password_cannot_be(desk: Desk, password: str) -> None:
    new = desk.registration(password=password)
    assert faulty(await desk.call("POST", "/register", sends=new)) == ["password"]


async def test_one_sees_oneself_whole_and_others_in_part(desk: Desk) -> None:
    ann, bob = await desk.person(), await desk.person()
    mine = (await desk.call("GET", "/api/v1/users/me", ann)).json()["data"]
    assert set(mine) == USER
    assert (await desk.call("GET", "/me", ann)).json()["data"] == mine
    for who in (None, bob):
        theirs = await desk.call("GET", f"/api/v1/users/{ann.username.upper()}", who)
        assert set(theirs.json()["data"]) == {
            "id",
            "username",
            "displayName",
            "avatarUrl",
            "createdAt",
        }
    for nobody in ("nobody-at-all", ann.email, str(ann.id), "%27%20or%201=1"):
        answer = await desk.call("GET", f"/api/v1/users/{nobody}")
        assert code(answer) == (404, "NOT_FOUND")
    assert code(await desk.call("GET", "/api/v1/users/me")) == (401, "UNAUTHENTICATED")


async def test_a_profile_changes_as_far_as_it_is_named(desk: Desk) -> None:
    ann = await desk.person()
    path = "/api/v1/users/me"
    picture = "https://example.org/a.png"
    sends = {"displayName": "Ann", "avatarUrl": picture}
    changed = (await desk.call("PATCH", path, ann, sends=sends)).json()["data"]
    assert (changed["displayName"], changed["avatarUrl"]) == ("Ann", picture)
    assert changed["username"] == ann.username
    renamed = await desk.call("PATCH", path, ann, sends={"username": f"{ann.username}x"})
    assert renamed.json()["data"]["avatarUrl"] == picture
    bare = await desk.call("PATCH", path, ann, sends={"avatarUrl": None})
    assert bare.json()["data"]["avatarUrl"] is None
    assert bare.json()["data"]["displayName"] == "Ann"
    before = await desk.subjects(ann)
    assert (await desk.call("PATCH", path, ann, sends={})).status_code == 200
    assert await desk.subjects(ann) == before
    assert before[-3:] == ["user.updated"] * 3
    last = (await desk.events(ann))[-1].data
    assert (last["username"], last["displayName"]) == (f"{ann.username}x", "Ann")


async def test_a_profile_has_its_limits(desk: Desk) -> None:
    ann, bob = await desk.person(), await desk.person()
    path = "/api/v1/users/me"
    wrong = {"role": "admin", "email": "x", "avatarUrl": "javascript:x", "id": "1"}
    answer = await desk.call("PATCH", path, ann, sends=wrong)
    assert faulty(answer) == ["avatarUrl", "email", "id", "role"]
    taken = await desk.call("PATCH", path, ann, sends={"username": bob.username})
    assert code(taken) == (409, "USERNAME_TAKEN")
    assert code(await desk.call("PATCH", path, sends={})) == (401, "UNAUTHENTICATED")


async def test_who_is_disabled_is_nobody(desk: Desk) -> None:
    ann = await desk.person()
    await desk.run("UPDATE account SET is_disabled = true WHERE id = :id", id=ann.id)
    assert code(await desk.call("GET", "/me", ann))[0] == 401
    assert (await desk.call("GET", f"/api/v1/users/{ann.username}")).status_code == 404
    sends = {"login": ann.email, "password": ann.password}
    assert code(await desk.call("POST", "/login", sends=sends)) == (401, "INVALID_CREDENTIALS")
    assert code(await desk.refresh(ann.refresh_token)) == (401, "UNAUTHENTICATED")


async def test_the_fleet_may_ask_who_somebody_is(desk: Desk) -> None:
    ann = await desk.person(displayName="Ann")
    for login in (ann.email.upper(), ann.username, str(ann.id)):
        answer = await desk.client.call("GET", f"/internal/accounts?login={login}")
        known = {"userId": str(ann.id), "username": ann.username, "displayName": "Ann"}
        assert answer.json() == known
    for nobody in (str(uuid7()), "nobody", ""):
        answer = await desk.client.call("GET", f"/internal/accounts?login={nobody}")
        assert code(answer) == (404, "NOT_FOUND")
    unasked = await desk.client.get(f"/internal/accounts?login={ann.email}")
    assert unasked.status_code == 401


async def test_a_forged_identity_is_refused(desk: Desk) -> None:
    ann = await desk.person()
    forged = {"x-user-id": str(ann.id), "x-auth-session": ann.session_id}
    for more in ({}, {"x-fleet-secret": "guess"}):
        answer = await desk.client.get("/api/v1/users/me", headers=forged | more)
        assert code(answer) == (401, "UNAUTHENTICATED")
