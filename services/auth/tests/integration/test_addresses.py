"""E-mail addresses: whose they are is shown by who reads the mail that goes there."""

import asyncio
from typing import Any

import httpx
import sqlalchemy as sa
from services.auth.tests.desk import Desk, Person, code, faulty
from services.auth.tests.letterbox import Letterbox, settled, token

from common.testing.apps import Serving

VERIFY = "Confirm your e-mail address"
CHANGE = "Confirm your new e-mail address"
ME = "/api/v1/users/me"


async def test_who_registers_gets_a_mail_and_verifies_once(
    desk: Desk, letterbox: Letterbox
) -> None:
    ann = await desk.person()
    given = await letterbox.token(ann.email, VERIFY)
    answer = await desk.call("POST", "/verify", sends={"token": given})
    assert answer.status_code == 200, answer.text
    user = answer.json()["data"]
    assert (user["id"], user["email"], user["emailVerified"]) == (str(ann.id), ann.email, True)
    assert (await desk.call("GET", ME, ann)).json()["data"] == user
    again = await desk.call("POST", "/verify", sends={"token": given})
    assert code(again) == (400, "MAIL_TOKEN_INVALID")
    assert (await desk.subjects(ann))[-1] == "user.email_verified"
    assert await noted(desk, ann, "email.verified") == [{}]


async def test_only_a_token_for_it_verifies_an_address(desk: Desk, letterbox: Letterbox) -> None:
    ann = await desk.person()
    await letterbox.came(ann.email, VERIFY)
    await desk.call("POST", "/password/forgot", sends={"email": ann.email})
    other = await letterbox.token(ann.email, "Set a new password")
    for wrong in (other, ann.refresh_token, "x", "\u0000", "\u20ac", "x" * 512):
        answer = await desk.call("POST", "/verify", sends={"token": wrong})
        assert code(answer) == (400, "MAIL_TOKEN_INVALID"), wrong
    assert faulty(await desk.call("POST", "/verify", sends={})) == ["token"]
    assert faulty(await desk.call("POST", "/verify", sends={"token": "x" * 513})) == ["token"]
    assert not await is_verified(desk, ann)


async def test_of_a_token_used_by_many_at_once_one_is_good(
    desk: Desk, letterbox: Letterbox
) -> None:
    ann = await desk.person()
    sends = {"token": await letterbox.token(ann.email, VERIFY)}
    answers = await asyncio.gather(*[desk.call("POST", "/verify", sends=sends) for _ in range(8)])
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 7
    assert (await desk.subjects(ann)).count("user.email_verified") == 1


async def test_a_token_is_over_in_time(desk: Desk, letterbox: Letterbox) -> None:
    ann = await desk.person()
    given = await letterbox.token(ann.email, VERIFY)
    await desk.run(
        "UPDATE mail_token SET expires_at = now() - interval '1 s' WHERE account_id = :id",
        id=ann.id,
    )
    answer = await desk.call("POST", "/verify", sends={"token": given})
    assert code(answer) == (400, "MAIL_TOKEN_INVALID")


async def test_a_token_is_no_good_for_who_is_disabled(desk: Desk, letterbox: Letterbox) -> None:
    ann = await desk.person()
    given = await letterbox.token(ann.email, VERIFY)
    await desk.run("UPDATE account SET is_disabled = true WHERE id = :id", id=ann.id)
    answer = await desk.call("POST", "/verify", sends={"token": given})
    assert code(answer) == (400, "MAIL_TOKEN_INVALID")


async def test_another_mail_takes_the_place_of_the_one_before(
    desk: Desk, letterbox: Letterbox
) -> None:
    ann = await desk.person()
    first = await letterbox.token(ann.email, VERIFY)
    assert accepted(await desk.call("POST", "/verify/resend", ann))
    second = await letterbox.token(ann.email, VERIFY, count=2)
    answer = await desk.call("POST", "/verify/resend", sends={"email": ann.email.upper()})
    assert accepted(answer)
    third = await letterbox.token(ann.email, VERIFY, count=3)
    for old in (first, second):
        answer = await desk.call("POST", "/verify", sends={"token": old})
        assert code(answer) == (400, "MAIL_TOKEN_INVALID")
    assert (await desk.call("POST", "/verify", sends={"token": third})).is_success


async def test_nobody_learns_whether_an_address_waits_for_its_mail(
    desk: Desk, letterbox: Letterbox
) -> None:
    ann, bob = await desk.person(), await desk.person()
    given = await letterbox.token(ann.email, VERIFY)
    await desk.call("POST", "/verify", sends={"token": given})
    nobody = f"nobody-{desk.mark}@example.org"
    answers = [
        await desk.call("POST", "/verify/resend", sends={"email": email})
        for email in (ann.email, bob.email, nobody)
    ]
    assert all(accepted(answer) for answer in answers)
    await letterbox.came(bob.email, VERIFY, count=2)
    await settled(desk)
    assert len(letterbox.about(ann.email, VERIFY)) == 1
    assert letterbox.all(nobody) == []
    assert faulty(await desk.call("POST", "/verify/resend", sends={})) == ["email"]
    assert faulty(await desk.call("POST", "/verify/resend", sends={"email": "x"})) == ["email"]


async def test_nobody_is_flooded(desk: Desk, letterbox: Letterbox) -> None:
    ann = await desk.person()
    for _ in range(8):
        assert accepted(await desk.call("POST", "/verify/resend", sends={"email": ann.email}))
    await letterbox.came(ann.email, VERIFY, count=5)
    await settled(desk)
    assert len(letterbox.about(ann.email, VERIFY)) == 5
    await desk.run(
        "UPDATE mail_token SET counted_from = now() - interval '61 min' WHERE account_id = :id",
        id=ann.id,
    )
    assert accepted(await desk.call("POST", "/verify/resend", sends={"email": ann.email}))
    given = await letterbox.token(ann.email, VERIFY, count=6)
    assert (await desk.call("POST", "/verify", sends={"token": given})).is_success


async def test_an_address_changes_when_the_new_one_is_verified(
    desk: Desk, letterbox: Letterbox
) -> None:
    ann = await desk.person()
    new = f"new-{ann.email}"
    sends = {"email": new, "currentPassword": ann.password, "displayName": "Ann"}
    answer = await desk.call("PATCH", ME, ann, sends=sends)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["data"]["email"], answer.json()["data"]["displayName"]) == (
        ann.email,
        "Ann",
    )
    given = await letterbox.token(new, CHANGE)
    warning = await letterbox.came(ann.email, "about to change")
    assert new in warning.text
    assert given not in warning.text
    answer = await desk.call("POST", "/verify", sends={"token": given})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["data"]["email"], answer.json()["data"]["emailVerified"]) == (new, True)
    assert new in (await letterbox.came(ann.email, "was changed")).text
    changed = {"before": ann.email, "after": new}
    assert await noted(desk, ann, "email.changed") == [changed]
    # who was logged in stays so, and logs in by the new address alone
    assert await desk.is_live(ann.refresh_token)
    login = {"login": ann.email, "password": ann.password}
    assert code(await desk.call("POST", "/login", sends=login))[1] == "INVALID_CREDENTIALS"
    assert (await desk.call("POST", "/login", sends=login | {"login": new})).is_success


async def test_another_address_needs_the_password(desk: Desk, letterbox: Letterbox) -> None:
    ann = await desk.person()
    sends: dict[str, Any] = {"email": f"new-{ann.email}", "displayName": "Ann"}
    assert faulty(await desk.call("PATCH", ME, ann, sends=sends)) == ["currentPassword"]
    wrong = sends | {"currentPassword": "wrong password"}
    answer = await desk.call("PATCH", ME, ann, sends=wrong)
    assert code(answer) == (401, "INVALID_CREDENTIALS")
    assert faulty(await desk.call("PATCH", ME, ann, sends=wrong | {"email": "x"})) == ["email"]
    await settled(desk)
    assert letterbox.all(f"new-{ann.email}") == []
    assert (await desk.call("GET", ME, ann)).json()["data"]["displayName"] == ann.username


async def test_an_address_that_is_taken_is_refused_when_asked_and_when_verified(
    desk: Desk, letterbox: Letterbox
) -> None:
    ann, bob = await desk.person(), await desk.person()
    sends = {"email": bob.email.upper(), "currentPassword": ann.password}
    assert code(await desk.call("PATCH", ME, ann, sends=sends)) == (409, "EMAIL_TAKEN")
    new = f"new-{ann.email}"
    for who in (ann, bob):
        asks = {"email": new, "currentPassword": who.password}
        assert (await desk.call("PATCH", ME, who, sends=asks)).is_success
    await letterbox.came(new, CHANGE, count=2)
    early = await token_of(letterbox, new, ann)
    assert (await desk.call("POST", "/verify", sends={"token": early})).is_success
    late = await token_of(letterbox, new, bob)
    answer = await desk.call("POST", "/verify", sends={"token": late})
    assert code(answer) == (409, "EMAIL_TAKEN")
    assert (await desk.call("GET", ME, bob)).json()["data"]["email"] == bob.email


async def test_another_password_stops_a_change_of_address(desk: Desk, letterbox: Letterbox) -> None:
    ann = await desk.person()
    new = f"new-{ann.email}"
    asks = {"email": new, "currentPassword": ann.password}
    assert (await desk.call("PATCH", ME, ann, sends=asks)).is_success
    given = await letterbox.token(new, CHANGE)
    changes = {"currentPassword": ann.password, "password": "another fine password"}
    assert (await desk.call("POST", "/password/change", ann, sends=changes)).status_code == 204
    answer = await desk.call("POST", "/verify", sends={"token": given})
    assert code(answer) == (400, "MAIL_TOKEN_INVALID")


async def test_too_many_changes_of_address_are_told(serve: Serving, desk: Desk) -> None:
    async with serve(MAILS_PER_HOUR_MAX="1") as client:
        desk.client = client
        ann = await desk.person()
        asks = {"email": f"new-{ann.email}", "currentPassword": ann.password}
        assert (await desk.call("PATCH", ME, ann, sends=asks)).is_success
        answer = await desk.call("PATCH", ME, ann, sends=asks)
        assert code(answer) == (429, "RATE_LIMITED")
        assert int(answer.headers["retry-after"]) > 0


async def test_the_address_that_one_has_needs_no_change(desk: Desk, letterbox: Letterbox) -> None:
    ann = await desk.person()
    asks = {"email": ann.email, "currentPassword": ann.password}
    assert (await desk.call("PATCH", ME, ann, sends=asks)).is_success
    await settled(desk)
    assert letterbox.about(ann.email, CHANGE) == []


async def test_neither_tokens_nor_addresses_can_be_read_in_the_database(
    desk: Desk, letterbox: Letterbox
) -> None:
    ann = await desk.person()
    await settled(desk)
    await letterbox.close()
    try:
        await desk.call("POST", "/verify/resend", ann, sends={})
        await desk.call("POST", "/password/forgot", sends={"email": ann.email})
        waiting = "SELECT string_agg(encode(sealed, 'escape'), ' ') AS value FROM mail"
        sealed = await desk.one(waiting, sa.Text())
        kept = "SELECT string_agg(encode(hash, 'escape'), ' ') AS value FROM mail_token"
        hashes = await desk.one(kept, sa.Text())
    finally:
        await letterbox.open()
    tokens = [
        await letterbox.token(ann.email, VERIFY, count=2),
        await letterbox.token(ann.email, "Set a new password"),
    ]
    assert sealed
    assert [token for token in tokens if token in sealed + hashes] == []
    assert ann.email not in sealed


async def noted(desk: Desk, who: Person, action: str) -> list[dict[str, Any]]:
    """The details of what was noted of somebody."""
    answer = await desk.call("GET", f"{ME}/audit", who)
    return [one["details"] for one in answer.json()["data"] if one["action"] == action]


async def is_verified(desk: Desk, who: Person) -> bool:
    """Whether somebody's address is verified."""
    user: dict[str, bool] = (await desk.call("GET", ME, who)).json()["data"]
    return user["emailVerified"]


async def token_of(letterbox: Letterbox, to: str, who: Person) -> str:
    """The token of the mail that greets somebody."""
    (mail,) = [one for one in letterbox.about(to, CHANGE) if who.username in one.text]
    return token(mail)


def accepted(answer: httpx.Response) -> bool:
    """Whether an answer says what it says to everybody."""
    return (answer.status_code, answer.json()["data"]) == (202, {"status": "accepted"})
