"""Locking out: after too many wrong passwords none is looked at for a while."""

import asyncio

import httpx
import pytest
import sqlalchemy as sa
from services.auth.tests.desk import Desk, Person, code

from auth.lockout import service as lockout
from auth.lockout.types import known
from common.testing.apps import Serving
from common.testing.waiting import until

HOME = "203.0.113.5"
AWAY = "203.0.113.77"
WRONG = "wrong password"


async def tried(
    desk: Desk, login: str, password: str = WRONG, address: str = HOME
) -> httpx.Response:
    """Try to log in from an address."""
    sends = {"login": login, "password": password, "tokenDelivery": "body"}
    return await desk.call("POST", "/login", sends=sends, x_envoy_external_address=address)


async def statuses(
    desk: Desk, login: str, count: int, address: str = HOME, password: str = WRONG
) -> list[int]:
    """Try to log in several times, one after the other."""
    answers = [await tried(desk, login, password, address) for _ in range(count)]
    return [answer.status_code for answer in answers]


def waits(answer: httpx.Response) -> int:
    """How long a refusal tells to wait."""
    assert code(answer) == (429, "RATE_LIMITED"), answer.text
    wait_s = int(answer.headers["retry-after"])
    assert answer.json()["error"]["details"][0]["retryAfter"] == wait_s
    return wait_s


async def later(desk: Desk, address: str, seconds: int) -> None:
    """Let time go by for what failed from an address."""
    await desk.run(
        "UPDATE login_failure SET last_at = last_at - make_interval(secs => :seconds)"
        " WHERE address = :address",
        seconds=seconds,
        address=address,
    )


def address_of(desk: Desk, number: int) -> str:
    """An address that no other test has: a network of its own for each number."""
    return f"2001:db8:f{desk.mark[-3:]}:f{desk.mark[-5:-3]}{number:x}::1"


async def test_after_five_wrong_passwords_none_is_looked_at(desk: Desk) -> None:
    ann = await desk.person()
    assert await statuses(desk, ann.email, 5) == [401] * 5
    assert 880 <= waits(await tried(desk, ann.email)) <= 900
    assert waits(await tried(desk, ann.email, ann.password))


async def test_nobody_is_locked_out_like_somebody(desk: Desk) -> None:
    ann = await desk.person()
    found = []
    for login in (ann.email, f"nobody{desk.mark}@example.org", f"nobody-{desk.mark}"):
        answers = [await tried(desk, login) for _ in range(7)]
        bodies = [answer.json()["error"] for answer in answers]
        for body in bodies:
            del body["requestId"]
            for detail in body["details"]:
                assert 880 <= detail.pop("retryAfter") <= 900
        found.append([(a.status_code, body) for a, body in zip(answers, bodies, strict=True)])
    assert [status for status, _ in found[0]] == [401] * 5 + [429] * 2
    assert found[1] == found[2] == found[0]


async def test_an_account_s_logins_count_together_however_they_are_spelt(desk: Desk) -> None:
    ann = await desk.person()
    for login in (ann.email, ann.username, ann.email.upper(), ann.username.upper(), ann.email):
        assert (await tried(desk, login)).status_code == 401
    for login in (ann.email, ann.username):
        waits(await tried(desk, login, ann.password))


async def test_somebody_else_s_guesses_do_not_keep_the_owner_out(desk: Desk) -> None:
    ann, bob = await desk.person(), await desk.person()
    assert await statuses(desk, ann.email, 6) == [401] * 5 + [429]
    assert (await tried(desk, ann.email, ann.password, AWAY)).status_code == 200
    # what succeeds elsewhere does not let the guessing go on
    waits(await tried(desk, ann.email))
    assert (await tried(desk, bob.email, bob.password)).status_code == 200


async def test_what_failed_is_forgotten_after_a_while(desk: Desk) -> None:
    ann, address = await desk.person(), address_of(desk, 1)
    assert await statuses(desk, ann.email, 6, address) == [401] * 5 + [429]
    await later(desk, f"{address.removesuffix('1')}/64", 890)
    assert 1 <= waits(await tried(desk, ann.email, address=address)) <= 10
    await later(desk, f"{address.removesuffix('1')}/64", 10)
    assert await statuses(desk, ann.email, 6, address) == [401] * 5 + [429]


async def test_a_login_that_succeeds_forgets_what_failed_from_there(desk: Desk) -> None:
    ann = await desk.person()
    for _ in range(3):
        assert await statuses(desk, ann.email, 4) == [401] * 4
        assert (await tried(desk, ann.email, ann.password)).status_code == 200


async def test_of_an_ipv6_address_its_network_counts(desk: Desk) -> None:
    ann = await desk.person()
    one = address_of(desk, 1)
    assert await statuses(desk, ann.email, 5, one) == [401] * 5
    waits(await tried(desk, ann.email, address=one.replace("::1", ":a:b:c:d")))
    assert (await tried(desk, ann.email, address=address_of(desk, 2))).status_code == 401


@pytest.mark.parametrize("strange", ["", "x" * 5_000, "\u00e4", "::ffff:203.0.113.5"])
async def test_a_strange_address_is_an_address_too(desk: Desk, strange: str) -> None:
    ann = await desk.person()
    headers = {"x_envoy_external_address": strange} if strange.isascii() else {}
    sends = {"login": ann.email, "password": WRONG}
    found = [await desk.call("POST", "/login", None, sends=sends, **headers) for _ in range(6)]
    assert [answer.status_code for answer in found] == [401] * 5 + [429]


async def test_who_tries_many_logins_from_one_address_tries_no_others(
    serve: Serving, desk: Desk
) -> None:
    async with serve(LOGIN_FAILURES_SPREAD_MAX="10") as client:
        desk.client = client
        address = address_of(desk, 1)
        people = [await desk.person() for _ in range(5)]
        logins = [one.email for one in people] + [f"nobody-{desk.mark}-{n}" for n in range(5)]
        for login in logins:
            assert (await tried(desk, login, address=address)).status_code == 401
        ann, bob = await desk.person(), people[0]
        for login in (ann.email, f"nobody-{desk.mark}-x"):
            waits(await tried(desk, login, ann.password, address))
        # whoever is one of the ten may still find the right one
        assert (await tried(desk, bob.email, bob.password, address)).status_code == 200
        # and with that there is room for another
        assert (await tried(desk, ann.email, ann.password, address)).status_code == 200
        assert (await tried(desk, ann.email, WRONG, address)).status_code == 401
        waits(await tried(desk, f"nobody-{desk.mark}-x", address=address))
        assert (await tried(desk, f"nobody-{desk.mark}-x", address=AWAY)).status_code == 401


async def test_one_s_own_account_does_not_let_guessing_go_on(serve: Serving, desk: Desk) -> None:
    async with serve(LOGIN_FAILURES_SPREAD_MAX="3") as client:
        desk.client = client
        address = address_of(desk, 1)
        eve = await desk.person()
        for number in range(3):
            assert await statuses(desk, f"nobody-{desk.mark}-{number}", 1, address) == [401]
            await statuses(desk, eve.email, 1, address, eve.password)
        waits(await tried(desk, f"nobody-{desk.mark}-x", address=address))


async def test_who_guesses_from_everywhere_is_stopped_and_the_owner_is_not(
    serve: Serving, desk: Desk
) -> None:
    async with serve(LOGIN_FAILURES_EVERYWHERE_MAX="7") as client:
        desk.client = client
        ann, home = await desk.person(), address_of(desk, 1)
        assert (await tried(desk, ann.email, ann.password, home)).status_code == 200
        for login in (ann.email, f"nobody-{desk.mark}"):
            found = [
                (await statuses(desk, login, 1, address_of(desk, number)))[0]
                for number in range(2, 10)
            ]
            assert found == [401] * 7 + [429]
        # the right one helps from nowhere but where the account has been logged in before
        waits(await tried(desk, ann.email, ann.password, AWAY))
        elsewhere_at_home = home.replace("::1", "::2")
        assert (await tried(desk, ann.email, ann.password, elsewhere_at_home)).status_code == 200
        await later(desk, "*", 900)
        assert (await tried(desk, ann.email, ann.password, AWAY)).status_code == 200


@pytest.mark.parametrize("workers", [1, 3])
async def test_guesses_at_once_do_not_slip_through(
    serve: Serving, desk: Desk, workers: int
) -> None:
    async with serve(PASSWORD_WORKERS=str(workers), PASSWORD_WAIT_S="30") as client:
        desk.client = client
        ann = await desk.person()
        answers = await asyncio.gather(*[tried(desk, ann.email) for _ in range(30)])
        found = sorted(answer.status_code for answer in answers)
        looked_at = found.count(401)
        assert found == [401] * looked_at + [429] * (30 - looked_at)
        assert 5 <= looked_at <= 5 + workers - 1
        waits(await tried(desk, ann.email, ann.password))


async def test_many_who_log_in_at_once_are_all_let_in(desk: Desk) -> None:
    ann = await desk.person()
    answers = await asyncio.gather(*[tried(desk, ann.email, ann.password) for _ in range(20)])
    assert [answer.status_code for answer in answers] == [200] * 20


async def counted(desk: Desk, who: Person) -> dict[str, int]:
    """How many notes of each kind there are of somebody."""
    answer = await desk.call("GET", "/api/v1/users/me/audit?limit=100", who)
    assert answer.status_code == 200, answer.text
    actions = [entry["action"] for entry in answer.json()["data"]]
    return {action: actions.count(action) for action in set(actions)}


async def test_what_failed_is_noted_and_so_is_the_lock_once(desk: Desk) -> None:
    ann = await desk.person()
    assert await statuses(desk, ann.email, 8) == [401] * 5 + [429] * 3
    assert await statuses(desk, f"nobody-{desk.mark}", 1) == [401]
    noted = await counted(desk, ann)
    assert (noted["login.failed"], noted["login.locked"]) == (5, 1)


async def test_a_guess_does_not_stop_who_sets_another_password(desk: Desk) -> None:
    ann = await desk.person()
    assert await statuses(desk, ann.email, 1) == [401]

    async def is_waiting() -> bool:
        statement = (
            "SELECT count(*) AS value FROM pg_stat_activity"
            " WHERE wait_event_type = 'Lock' AND query LIKE '%login_failure%'"
        )
        count: int = await desk.one(statement, sa.BigInteger())
        return count > 0

    async with desk.client.db.transaction() as tx:
        held = sa.text(
            "SELECT 1 FROM login_failure WHERE login = :login AND address = '*' FOR UPDATE"
        )
        await tx.run(held.bindparams(login=known(ann.id)))
        guess = asyncio.create_task(tried(desk, ann.email))
        await until(is_waiting)
        # it holds nothing yet that this waits for: all take these rows in one order
        await lockout.forgive(tx, ann.id)
    assert (await guess).status_code == 401
