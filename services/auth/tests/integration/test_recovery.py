"""Another password: for who forgot it, and for who knows it."""

import asyncio

import httpx
import pytest
import sqlalchemy as sa
from services.auth.tests.desk import ADDRESS, Desk, Person, code, faulty
from services.auth.tests.letterbox import Letterbox, settled, token

from common.ids import uuid7
from common.testing.apps import Serving
from common.testing.waiting import until
from fleet.counting import Turns

VERIFY = "Confirm your e-mail address"
RESET = "Set a new password"
NEW = "a password never used before"


async def test_a_forgotten_password_is_set_anew_by_mail(desk: Desk, letterbox: Letterbox) -> None:
    ann = await desk.person()
    again = await desk.login(ann)
    await verified(desk, letterbox, ann)
    key = await desk.key(ann)
    given = await forgotten(desk, letterbox, ann)
    answer = await desk.call("POST", "/password/reset", sends={"token": given, "password": NEW})
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"]["id"] == str(ann.id)
    login = {"login": ann.email, "password": ann.password}
    assert code(await desk.call("POST", "/login", sends=login)) == (401, "INVALID_CREDENTIALS")
    assert (await desk.call("POST", "/login", sends=login | {"password": NEW})).is_success
    assert [await desk.is_live(who.refresh_token) for who in (ann, again)] == [False, False]
    # the keys of machines are as they were, and the mail says so
    assert (await desk.authorized(key["key"])).status_code == 200
    told = await letterbox.came(ann.email, "was reset")
    assert "API keys are as they were" in told.text
    assert ADDRESS in told.text
    assert given not in told.text
    assert "password.changed" in await desk.subjects(ann)


async def test_a_token_resets_once(desk: Desk, letterbox: Letterbox) -> None:
    ann = await desk.person()
    sends = {"token": await forgotten(desk, letterbox, ann), "password": NEW}
    assert (await desk.call("POST", "/password/reset", sends=sends)).status_code == 200
    answer = await desk.call("POST", "/password/reset", sends=sends)
    assert code(answer) == (400, "MAIL_TOKEN_INVALID")


async def test_of_a_token_used_by_many_at_once_one_is_good(
    desk: Desk, letterbox: Letterbox
) -> None:
    ann = await desk.person()
    given = await forgotten(desk, letterbox, ann)
    passwords = [f"{NEW} {number}" for number in range(4)]
    answers = await asyncio.gather(
        *[
            desk.call("POST", "/password/reset", sends={"token": given, "password": password})
            for password in passwords
        ]
    )
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400]
    (won,) = [
        password
        for password, answer in zip(passwords, answers, strict=True)
        if answer.status_code == 200
    ]
    login = {"login": ann.email, "password": won}
    assert (await desk.call("POST", "/login", sends=login)).status_code == 200
    assert (await desk.subjects(ann)).count("password.changed") == 1


async def test_a_reset_shows_whose_the_address_is(desk: Desk, letterbox: Letterbox) -> None:
    ann = await desk.person()
    key = await desk.key(ann)
    await desk.run(
        "INSERT INTO identity (id, account_id, provider, subject) VALUES (:id, :who, 'x', :mark)",
        id=uuid7(),
        who=ann.id,
        mark=desk.mark,
    )
    given = await forgotten(desk, letterbox, ann)
    answer = await desk.call("POST", "/password/reset", sends={"token": given, "password": NEW})
    assert answer.json()["data"]["emailVerified"] is True
    assert "user.email_verified" in await desk.subjects(ann)
    # nobody had shown yet that it was theirs: who made the key and the link may be somebody else
    assert (await desk.authorized(key["key"])).status_code == 401
    assert (await desk.call("GET", "/api/v1/users/me/identities", ann)).json()["data"] == []
    assert "identity.unlinked" in await desk.subjects(ann)
    assert "no other provider" in (await letterbox.came(ann.email, "was reset")).text


async def test_known_and_unknown_addresses_are_answered_alike(
    desk: Desk, letterbox: Letterbox
) -> None:
    ann, bob = await desk.person(), await desk.person()
    await desk.run("UPDATE account SET is_disabled = true WHERE id = :id", id=bob.id)
    nobody = f"nobody-{desk.mark}@example.org"
    answers = [
        await desk.call("POST", "/password/forgot", sends={"email": email})
        for email in (ann.email, bob.email, nobody)
    ]
    assert {answer.status_code for answer in answers} == {202}
    assert [answer.json()["data"] for answer in answers] == [{"status": "accepted"}] * 3
    assert len({frozenset(headers(answer)) for answer in answers}) == 1
    await letterbox.came(ann.email, RESET)
    await settled(desk)
    assert letterbox.about(bob.email, RESET) == []
    assert letterbox.all(nobody) == []


async def test_known_and_unknown_addresses_are_the_same_work(
    serve: Serving, desk: Desk, told: dict[str, str], turns: Turns
) -> None:
    ann = await desk.person()
    address = turns.url(told["DATABASE_URL"])
    # one connection, and nothing else that talks to the database in between; it sends no mail
    polls = {"RELAY_POLL_S": "3600", "AUDIT_SEAL_EVERY_S": "3600", "MAIL_PARALLEL_MAX": "0"}
    quiet = {"POOL_SIZE": "1", "NATS_URL": "nats://127.0.0.1:9", **polls}
    async with serve(DATABASE_URL=address, **quiet) as client:
        desk.client = client
        taken: dict[str, list[int]] = {}
        for email in (ann.email, f"nobody-{desk.mark}@example.org") * 5:
            turns.taken()
            await desk.call("POST", "/password/forgot", sends={"email": email})
            taken.setdefault(email, []).append(turns.taken())
    # the least of them is the request's own: what begins with the service takes turns, too
    assert [min(counts) for counts in taken.values()] == [1, 1]


async def test_a_mail_goes_to_the_address_that_is_kept(desk: Desk, letterbox: Letterbox) -> None:
    ann = await desk.person()
    # PostgreSQL may find two texts alike that no mail server does
    await desk.call("POST", "/password/forgot", sends={"email": ann.email.upper()})
    given = await letterbox.token(ann.email, RESET)
    assert letterbox.about(ann.email, RESET)[0].to == [ann.email]
    answer = await desk.call("POST", "/password/reset", sends={"token": given, "password": NEW})
    assert answer.status_code == 200


async def test_a_token_is_for_the_address_that_it_went_to(desk: Desk, letterbox: Letterbox) -> None:
    ann = await desk.person()
    given = await forgotten(desk, letterbox, ann)
    await desk.run("UPDATE account SET email = 'x' || email WHERE id = :id", id=ann.id)
    answer = await desk.call("POST", "/password/reset", sends={"token": given, "password": NEW})
    assert code(answer) == (400, "MAIL_TOKEN_INVALID")


async def test_a_token_for_something_else_resets_nothing(desk: Desk, letterbox: Letterbox) -> None:
    ann = await desk.person()
    verifying = await letterbox.token(ann.email, VERIFY)
    for wrong in (verifying, ann.refresh_token, "\u0000", "x"):
        answer = await desk.call("POST", "/password/reset", sends={"token": wrong, "password": NEW})
        assert code(answer) == (400, "MAIL_TOKEN_INVALID")


async def test_a_token_is_over_in_time(desk: Desk, letterbox: Letterbox) -> None:
    ann = await desk.person()
    given = await forgotten(desk, letterbox, ann)
    await desk.run(
        "UPDATE mail_token SET expires_at = now() - interval '1 s' WHERE account_id = :id",
        id=ann.id,
    )
    answer = await desk.call("POST", "/password/reset", sends={"token": given, "password": NEW})
    assert code(answer) == (400, "MAIL_TOKEN_INVALID")


async def test_a_newer_token_takes_the_place_of_the_one_before(
    desk: Desk, letterbox: Letterbox
) -> None:
    ann = await desk.person()
    first = await forgotten(desk, letterbox, ann)
    await desk.call("POST", "/password/forgot", sends={"email": ann.email})
    await letterbox.came(ann.email, RESET, count=2)
    answer = await desk.call("POST", "/password/reset", sends={"token": first, "password": NEW})
    assert code(answer) == (400, "MAIL_TOKEN_INVALID")


async def test_a_password_that_is_refused_does_not_use_the_token_up(
    desk: Desk, letterbox: Letterbox
) -> None:
    ann = await desk.person()
    given = await forgotten(desk, letterbox, ann)
    for bad in ("short", "password123", ann.username, "abcd\u0000efgh"):
        answer = await desk.call("POST", "/password/reset", sends={"token": given, "password": bad})
        assert faulty(answer) == ["password"], bad
    answer = await desk.call("POST", "/password/reset", sends={"token": given, "password": NEW})
    assert answer.status_code == 200


async def test_each_fault_is_named(desk: Desk) -> None:
    ann = await desk.person()
    call = desk.call
    assert faulty(await call("POST", "/password/forgot", sends={"email": "x"})) == ["email"]
    assert faulty(await call("POST", "/password/forgot", sends={})) == ["email"]
    assert faulty(await call("POST", "/password/reset", sends={})) == ["password", "token"]
    wrong = {"currentPassword": "", "password": "x", "user": 1}
    answer = await call("POST", "/password/change", ann, sends=wrong)
    assert faulty(answer) == ["currentPassword", "password", "user"]


async def test_who_knows_the_password_changes_it_and_stays_alone(
    desk: Desk, letterbox: Letterbox
) -> None:
    ann = await desk.person()
    other = await desk.login(ann)
    given = await forgotten(desk, letterbox, ann)
    sends = {"currentPassword": ann.password, "password": NEW}
    answer = await desk.call("POST", "/password/change", ann, sends=sends)
    assert (answer.status_code, answer.content) == (204, b"")
    assert await desk.is_live(ann.refresh_token)
    assert not await desk.is_live(other.refresh_token)
    login = {"login": ann.email, "password": ann.password}
    assert code(await desk.call("POST", "/login", sends=login)) == (401, "INVALID_CREDENTIALS")
    assert (await desk.call("POST", "/login", sends=login | {"password": NEW})).is_success
    # a token that somebody may have asked for meanwhile is void
    answer = await desk.call("POST", "/password/reset", sends={"token": given, "password": NEW})
    assert code(answer) == (400, "MAIL_TOKEN_INVALID")
    await letterbox.came(ann.email, "password was changed")
    assert "password.changed" in await desk.subjects(ann)


async def test_changing_a_password_needs_the_current_one(desk: Desk) -> None:
    ann = await desk.person()
    sends = {"currentPassword": "wrong password", "password": NEW}
    answer = await desk.call("POST", "/password/change", ann, sends=sends)
    assert code(answer) == (401, "INVALID_CREDENTIALS")
    weak = {"currentPassword": ann.password, "password": "password123"}
    assert faulty(await desk.call("POST", "/password/change", ann, sends=weak)) == ["password"]
    assert code(await desk.call("POST", "/password/change", sends=sends)) == (
        401,
        "UNAUTHENTICATED",
    )
    assert (await desk.login(ann)).id == ann.id


async def test_guessing_the_current_password_locks_it(desk: Desk) -> None:
    ann = await desk.person()
    sends = {"currentPassword": "wrong password", "password": NEW}
    for _ in range(5):
        answer = await desk.call("POST", "/password/change", ann, sends=sends)
        assert code(answer) == (401, "INVALID_CREDENTIALS")
    right = sends | {"currentPassword": ann.password}
    answer = await desk.call("POST", "/password/change", ann, sends=right)
    assert code(answer) == (429, "RATE_LIMITED")
    assert int(answer.headers["retry-after"]) > 0


async def test_a_reset_opens_what_was_locked(desk: Desk, letterbox: Letterbox) -> None:
    ann = await desk.person()
    for _ in range(6):
        await desk.call("POST", "/login", sends={"login": ann.email, "password": "wrong password"})
    given = await forgotten(desk, letterbox, ann)
    await desk.call("POST", "/password/reset", sends={"token": given, "password": NEW})
    login = {"login": ann.email, "password": NEW}
    assert (await desk.call("POST", "/login", sends=login)).status_code == 200


async def test_of_two_changes_at_once_one_counts(desk: Desk) -> None:
    ann = await desk.person()
    passwords = [f"{NEW} {number}" for number in range(3)]
    answers = await asyncio.gather(
        *[
            desk.call(
                "POST",
                "/password/change",
                ann,
                sends={"currentPassword": ann.password, "password": password},
            )
            for password in passwords
        ]
    )
    assert sorted(answer.status_code for answer in answers) == [204, 401, 401]


async def test_who_is_overtaken_by_a_reset_changes_nothing(
    desk: Desk, letterbox: Letterbox
) -> None:
    ann = await desk.person()
    given = await forgotten(desk, letterbox, ann)
    resets = {"token": given, "password": NEW}
    # whoever knows the old password has shown it just before
    moves = {"email": f"new-{ann.email}", "currentPassword": ann.password}
    changes = {"currentPassword": ann.password, "password": f"{NEW} too"}
    async with desk.client.db.transaction() as tx:
        held = sa.text("SELECT id FROM account WHERE id = :id FOR UPDATE")
        await tx.run(held.bindparams(id=ann.id))
        first = asyncio.create_task(desk.call("POST", "/password/reset", sends=resets))
        await until(lambda: waiting(desk, 1))
        others = [
            asyncio.create_task(desk.call("PATCH", "/api/v1/users/me", ann, sends=moves)),
            asyncio.create_task(desk.call("POST", "/password/change", ann, sends=changes)),
        ]
        await until(lambda: waiting(desk, 3))
    assert (await first).status_code == 200
    for other in others:
        assert code(await other) == (401, "INVALID_CREDENTIALS")
    login = {"login": ann.email, "password": NEW}
    assert (await desk.call("POST", "/login", sends=login)).status_code == 200
    await settled(desk)
    assert letterbox.all(f"new-{ann.email}") == []


async def test_an_account_without_a_password_gets_one_by_mail_alone(
    desk: Desk, letterbox: Letterbox
) -> None:
    ann = await desk.person()
    await desk.run("UPDATE account SET password_hash = NULL WHERE id = :id", id=ann.id)
    sends = {"currentPassword": ann.password, "password": NEW}
    answer = await desk.call("POST", "/password/change", ann, sends=sends)
    assert code(answer) == (401, "INVALID_CREDENTIALS")
    given = await forgotten(desk, letterbox, ann)
    answer = await desk.call("POST", "/password/reset", sends={"token": given, "password": NEW})
    assert answer.status_code == 200
    login = {"login": ann.email, "password": NEW}
    assert (await desk.call("POST", "/login", sends=login)).status_code == 200


async def test_what_was_done_to_the_password_is_noted(desk: Desk, letterbox: Letterbox) -> None:
    ann = await desk.person()
    sends = {"currentPassword": ann.password, "password": NEW}
    await desk.call("POST", "/password/change", ann, sends=sends)
    given = await forgotten(desk, letterbox, ann)
    await desk.call("POST", "/password/reset", sends={"token": given, "password": f"{NEW}!"})
    entries = (await desk.call("GET", "/api/v1/users/me/audit", ann)).json()["data"]
    noted = [entry["action"] for entry in entries]
    assert noted.index("password.reset") < noted.index("password.changed")
    assert {entry["address"] for entry in entries} == {ADDRESS}
    assert NEW not in str(entries)


@pytest.mark.parametrize("path", ["forgot", "reset"])
async def test_who_is_logged_in_may_also_have_forgotten(desk: Desk, path: str) -> None:
    ann = await desk.person()
    sends = {
        "forgot": {"email": ann.email},
        "reset": {"token": "x", "password": NEW},
    }
    answer = await desk.call("POST", f"/password/{path}", ann, sends=sends[path])
    assert answer.status_code in {202, 400}


async def forgotten(desk: Desk, letterbox: Letterbox, who: Person) -> str:
    """Ask for a token to reset a password, and get it."""
    answer = await desk.call("POST", "/password/forgot", sends={"email": who.email})
    assert answer.status_code == 202, answer.text
    return token(await letterbox.came(who.email, RESET))


async def verified(desk: Desk, letterbox: Letterbox, who: Person) -> None:
    """Verify somebody's address."""
    sends = {"token": await letterbox.token(who.email, VERIFY)}
    assert (await desk.call("POST", "/verify", sends=sends)).status_code == 200


async def waiting(desk: Desk, count: int) -> bool:
    """Whether so many statements wait for a row that somebody has in hand."""
    waits = "SELECT count(*) AS value FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    return await desk.one(waits, sa.BigInteger()) >= count


def headers(answer: httpx.Response) -> set[str]:
    """The names of an answer's headers, and how long it is."""
    return {*answer.headers, answer.headers["content-length"]}
