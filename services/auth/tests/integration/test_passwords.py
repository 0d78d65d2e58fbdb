"""Passwords through HTTP: which may be chosen, which are right, and how they are kept."""

import asyncio
from typing import Any

import bcrypt
import httpx
import pytest
import sqlalchemy as sa
from services.auth.tests.desk import Desk, Person, code, faulty

from common.testing.apps import Serving
from common.testing.waiting import until
from fleet.counting import Turns

CHOICES = {
    "64 characters": "correct horse battery staple ".ljust(64, "x"),
    "73 bytes": "x-" * 36 + "y",
    "200 bytes": "\u20ac-horse " * 20,
    "emoji": "\U0001f4a5\U0001f1ea\U0001f1fa" * 3,
    "1024 characters": "ab" * 512,
    "space": " " * 9,
}


async def status(desk: Desk, who: Person, password: str, **headers: str) -> int:
    """Try to log in as somebody."""
    sends = {"login": who.email, "password": password, "tokenDelivery": "body"}
    answer = await desk.call("POST", "/login", None, sends=sends, **headers)
    return answer.status_code


async def kept(desk: Desk, who: Person) -> str:
    """What is kept of somebody's password."""
    statement = "SELECT password_hash AS value FROM account WHERE CAST(id AS text) = :id"
    return await desk.one(statement, sa.Text(), id=str(who.id))


async def keep(desk: Desk, who: Person, password_hash: str | None) -> None:
    """Let an account have been imported with this hash, or without any."""
    await desk.run(
        "UPDATE account SET password_hash = CAST(:hash AS text) WHERE CAST(id AS text) = :id",
        hash=password_hash,
        id=str(who.id),
    )


def hashed(password: str, prefix: str = "2b", rounds: int = 4) -> str:
    """A password as another system keeps it."""
    made = bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(rounds)).decode()
    return made.replace("$2b$", f"${prefix}$")


@pytest.mark.parametrize("password", CHOICES.values(), ids=CHOICES)
async def test_a_password_is_taken_as_it_is(desk: Desk, password: str) -> None:
    ann = await desk.person(password=password)
    assert (await kept(desk, ann)).startswith("$argon2id$")
    assert password not in await kept(desk, ann)
    for wrong in (password[:-1] + "z", password[1:], password[:72].ljust(72, "z")):
        assert await status(desk, ann, wrong) == 401
    assert await status(desk, ann, password) == 200


@pytest.mark.parametrize("length", [0, 1, 7, 1025, 1_000_000])
async def test_a_password_has_8_to_1024_characters(desk: Desk, length: int) -> None:
    new = desk.registration(password="p" * length)
    assert faulty(await desk.call("POST", "/register", sends=new)) == ["password"]


async def test_a_password_has_no_nul(desk: Desk) -> None:
    new = desk.registration(password="correct\u0000horse")
    assert faulty(await desk.call("POST", "/register", sends=new)) == ["password"]
    ann = await desk.person()
    assert await status(desk, ann, f"{ann.password}\u0000") == 401


@pytest.mark.parametrize(
    "password", ["password1", "12345678", "PassWord1", "iloveyou1", "qwertyuiop"]
)
async def test_a_password_that_is_guessed_first_is_refused(desk: Desk, password: str) -> None:
    new = desk.registration(password=password)
    answer = await desk.call("POST", "/register", sends=new)
    assert faulty(answer) == ["password"]
    assert "most common" in answer.json()["error"]["details"][0]["message"]


async def test_a_password_is_more_than_a_name(desk: Desk) -> None:
    new = desk.registration()
    name, email = new["username"], new["email"]
    for password in (name, name.upper(), f"{name}.{name}", email, f" {email} "):
        answer = await desk.call("POST", "/register", sends=new | {"password": password})
        assert faulty(answer) == ["password"]
    new["password"] = f"{name} and a horse"
    assert (await desk.call("POST", "/register", sends=new)).status_code == 201


@pytest.mark.parametrize("prefix", ["2a", "2b", "2y"])
async def test_an_imported_password_is_renewed_by_its_first_login(desk: Desk, prefix: str) -> None:
    ann = await desk.person()
    password = "an old password"
    await keep(desk, ann, hashed(password, prefix, rounds=12))
    assert await status(desk, ann, "an old passwore") == 401
    assert (await kept(desk, ann)).startswith(f"${prefix}$12$")
    assert await status(desk, ann, password) == 200
    renewed = await kept(desk, ann)
    assert renewed.startswith("$argon2id$")
    assert await status(desk, ann, password) == 200
    assert await kept(desk, ann) == renewed


async def test_a_renewed_password_counts_beyond_what_bcrypt_saw(desk: Desk) -> None:
    ann = await desk.person()
    long = "x" * 80
    await keep(desk, ann, hashed(long))
    assert await status(desk, ann, long) == 200
    assert await status(desk, ann, "x" * 72) == 401
    assert await status(desk, ann, long) == 200


async def test_a_hash_of_other_costs_is_renewed(serve: Serving, desk: Desk) -> None:
    ann = await desk.person()
    assert ",t=1," in await kept(desk, ann)
    async with serve(PASSWORD_PASSES="2") as client:
        desk.client = client
        assert await status(desk, ann, ann.password) == 200
        assert ",t=2," in await kept(desk, ann)


async def test_many_first_logins_at_once_are_all_let_in(desk: Desk) -> None:
    ann = await desk.person()
    await keep(desk, ann, hashed(ann.password))
    found = await asyncio.gather(*[status(desk, ann, ann.password) for _ in range(10)])
    assert found == [200] * 10
    assert (await kept(desk, ann)).startswith("$argon2id$")


async def test_renewing_costs_no_more_turns_than_a_login(
    serve: Serving, desk: Desk, told: dict[str, str], turns: Turns
) -> None:
    ann = await desk.person()
    polls = {"RELAY_POLL_S": "3600", "MAIL_POLL_S": "3600", "AUDIT_SEAL_EVERY_S": "3600"}
    quiet = {"POOL_SIZE": "1", "NATS_URL": "nats://127.0.0.1:9", **polls}
    async with serve(DATABASE_URL=turns.url(told["DATABASE_URL"]), **quiet) as client:
        taken = []
        for _ in range(4):
            await keep(desk, ann, hashed(ann.password))
            apart = Desk(client)
            turns.taken()
            assert await status(apart, ann, ann.password) == 200
            taken.append(turns.taken())
    # the first time statements are prepared, and what begins with the service takes turns, too
    assert min(taken) == 2
    assert (await kept(desk, ann)).startswith("$argon2id$")


async def test_without_a_password_none_is_right(desk: Desk) -> None:
    ann = await desk.person()
    await keep(desk, ann, None)
    for wrong in (ann.password, "None", "NULL"):
        assert await status(desk, ann, wrong) == 401


@pytest.mark.parametrize(
    "change", ["UPDATE account SET password_hash = 'x'", "DELETE FROM account"]
)
async def test_who_logs_in_while_the_account_changes_is_kept_out(desk: Desk, change: str) -> None:
    ann = await desk.person()
    before = await desk.subjects(ann)

    async def is_waiting() -> bool:
        statement = (
            "SELECT count(*) AS value FROM pg_stat_activity"
            " WHERE wait_event_type = 'Lock' AND query LIKE '%account%'"
        )
        count: int = await desk.one(statement, sa.BigInteger())
        return count > 0

    async with desk.client.db.transaction() as tx:
        where: Any = sa.text(f"{change} WHERE CAST(id AS text) = :id")
        await tx.run(where.bindparams(id=str(ann.id)))
        login = asyncio.create_task(
            desk.call("POST", "/login", sends={"login": ann.email, "password": ann.password})
        )
        await until(is_waiting)
    assert code(await login) == (401, "INVALID_CREDENTIALS")
    assert await desk.subjects(ann) == before


async def test_what_kind_of_hash_was_compared_is_not_seen(serve: Serving, desk: Desk) -> None:
    ann, bob = await desk.person(), await desk.person()
    await keep(desk, bob, hashed("an old password"))
    address = f"2001:db8:f{desk.mark[-3:]}:f{desk.mark[-6:-3]}::"
    failing: list[asyncio.Task[httpx.Response]] = []

    async def have_failed() -> bool:
        statement = "SELECT count(*) AS value FROM login_failure WHERE address = :address"
        return await desk.one(statement, sa.BigInteger(), address=f"{address}/64") == len(failing)

    # whether known or not, and as what it is kept: nobody is answered before this time is over
    async with serve(LOGIN_FAILED_S_MIN="3600") as client:
        desk.client = client
        where = {"x_envoy_external_address": address}
        for login in (ann.email, bob.email, f"nobody-{desk.mark}"):
            sends = {"login": login, "password": "wrong password"}
            failing.append(
                asyncio.create_task(desk.call("POST", "/login", None, sends=sends, **where))
            )
        await until(have_failed)
        assert await status(desk, ann, ann.password, **where) == 200
        assert not any(one.done() for one in failing)
        for one in failing:
            one.cancel()
        await asyncio.gather(*failing, return_exceptions=True)
