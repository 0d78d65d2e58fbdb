"""What arrives by mail: whose an address is, and another password."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from fleet.testing import Running

_TOKEN = re.compile(r"This is the token:\s+(\S+)")

type Mails = Callable[[str, str], Awaitable[dict[str, Any]]]


@pytest.fixture
def mail(fleet_up: Running, until) -> Mails:
    """Wait for a mail to somebody, and look at it in the catcher's inbox."""

    async def arrived(to: str, subject: str) -> dict[str, Any]:
        async def look() -> dict[str, Any] | None:
            async with httpx.AsyncClient(base_url=fleet_up.mail_url) as client:
                found = (await client.get("/api/mails", params={"to": to})).json()
            return next((one for one in found if subject in one["subject"]), None)

        found: dict[str, Any] = await until(look)
        return found

    return arrived


def token(mail: dict[str, Any]) -> str:
    """The token that a mail brings."""
    found = _TOKEN.search(mail["text"])
    assert found is not None
    return found[1]


async def test_who_registers_verifies_their_address(person, gateway, mail) -> None:
    ann = await person()
    assert (await ann.client.get("/api/v1/users/me")).json()["data"]["emailVerified"] is False
    came = await mail(f"{ann.username}@example.org", "Confirm your e-mail address")
    sends = {"token": token(came)}
    # the mail says where it goes
    assert f"{gateway.base_url}/api/v1/auth/verify".replace("//api", "/api") in came["text"]
    answer = await gateway.post("/api/v1/auth/verify", json=sends)
    assert answer.status_code == 200, answer.text
    assert (await ann.client.get("/api/v1/users/me")).json()["data"]["emailVerified"] is True
    again = await gateway.post("/api/v1/auth/verify", json=sends)
    assert (again.status_code, again.json()["error"]["code"]) == (400, "MAIL_TOKEN_INVALID")


async def test_who_forgot_a_password_sets_another_and_others_are_out(person, gateway, mail) -> None:
    ann = await person()
    email = f"{ann.username}@example.org"
    answers = [
        await gateway.post("/api/v1/auth/password/forgot", json={"email": to})
        for to in (email, f"nobody-{ann.username}@example.org")
    ]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json()["data"] == answers[1].json()["data"]
    new = "a whole new password"
    sends = {"token": token(await mail(email, "Set a new password")), "password": new}
    answer = await gateway.post("/api/v1/auth/password/reset", json=sends)
    assert answer.status_code == 200, answer.text
    login = {"login": ann.username, "password": "correct horse"}
    old = await gateway.post("/api/v1/auth/login", json=login)
    assert (old.status_code, old.json()["error"]["code"]) == (401, "INVALID_CREDENTIALS")
    refreshed = {"refreshToken": ann.refresh_token}
    assert (await gateway.post("/api/v1/auth/refresh", json=refreshed)).status_code == 401
    again = await gateway.post("/api/v1/auth/login", json=login | {"password": new})
    assert again.status_code == 200
    assert again.json()["data"]["user"]["emailVerified"] is True
    twice = await gateway.post("/api/v1/auth/password/reset", json=sends)
    assert (twice.status_code, twice.json()["error"]["code"]) == (400, "MAIL_TOKEN_INVALID")
    await mail(email, "password was reset")


async def test_who_changes_a_password_stays_and_others_are_out(person, gateway) -> None:
    ann = await person()
    login = {"login": ann.username, "password": "correct horse", "tokenDelivery": "body"}
    other = (await gateway.post("/api/v1/auth/login", json=login)).json()["data"]
    sends = {"currentPassword": "correct horse", "password": "a whole new password"}
    wrong = sends | {"currentPassword": "wrong horse"}
    answer = await ann.client.post("/api/v1/auth/password/change", json=wrong)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "INVALID_CREDENTIALS")
    answer = await ann.client.post("/api/v1/auth/password/change", json=sends)
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await ann.client.get("/api/v1/users/me")).status_code == 200
    refreshed = {"refreshToken": other["refreshToken"]}
    assert (await gateway.post("/api/v1/auth/refresh", json=refreshed)).status_code == 401
    nobody = await gateway.post("/api/v1/auth/password/change", json=sends)
    assert nobody.status_code == 401


async def test_an_address_is_changed_by_who_reads_the_new_one(person, gateway, mail) -> None:
    ann = await person()
    new = f"new-{ann.username}@example.org"
    sends = {"email": new, "currentPassword": "correct horse"}
    answer = await ann.client.patch("/api/v1/users/me", json=sends)
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"]["email"] == f"{ann.username}@example.org"
    await mail(f"{ann.username}@example.org", "about to change")
    came = await mail(new, "Confirm your new e-mail address")
    answer = await gateway.post("/api/v1/auth/verify", json={"token": token(came)})
    assert answer.status_code == 200, answer.text
    me = (await ann.client.get("/api/v1/users/me")).json()["data"]
    assert (me["email"], me["emailVerified"]) == (new, True)


async def test_another_mail_is_sent_to_who_asks(person, gateway, mail, until) -> None:
    ann = await person()
    email = f"{ann.username}@example.org"
    first = token(await mail(email, "Confirm your e-mail address"))
    answer = await ann.client.post("/api/v1/auth/verify/resend", json={})
    assert (answer.status_code, answer.json()["data"]) == (202, {"status": "accepted"})

    async def newer() -> str | None:
        found = token(await mail(email, "Confirm your e-mail address"))
        return found if found != first else None

    second = await until(newer)
    old = await gateway.post("/api/v1/auth/verify", json={"token": first})
    assert old.status_code == 400
    assert (await gateway.post("/api/v1/auth/verify", json={"token": second})).status_code == 200


async def test_while_the_mail_server_is_away_nothing_fails(
    fleet_up: Running, person, gateway, mail
) -> None:
    fleet_up.stop("mail")
    try:
        ann = await person()
        email = f"{ann.username}@example.org"
        answer = await gateway.post("/api/v1/auth/password/forgot", json={"email": email})
        assert answer.status_code == 202
    finally:
        fleet_up.start("mail")
    # the reset's token is the newer one of its kind, and the mail that brings it is not lost
    sends = {
        "token": token(await mail(email, "Set a new password")),
        "password": "a whole new password",
    }
    answer = await gateway.post("/api/v1/auth/password/reset", json=sends)
    assert answer.status_code == 200
    await mail(email, "Confirm your e-mail address")
