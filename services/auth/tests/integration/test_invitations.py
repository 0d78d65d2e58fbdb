"""Invitations to projects: their mails, and whose an address is."""

from typing import Any

import httpx
import pytest
from services.auth.tests.desk import Desk, Person, code
from services.auth.tests.letterbox import Letterbox, settled, token

from common.ids import uuid7
from common.testing.apps import Serving

INVITED = "You are invited to a project"
VERIFY = "Confirm your e-mail address"
TOKEN = "t" * 43


async def invite(desk: Desk, inviter: Person, email: str, **fields: Any) -> httpx.Response:
    """Ask for a mail as projects does."""
    sends = {
        "email": email,
        "projectName": "Pong",
        "invitedBy": str(inviter.id),
        "token": TOKEN,
        "lifetimeS": 604_800,
        **fields,
    }
    return await desk.call("POST", "/internal/invitations", sends=sends)


async def claims(desk: Desk, who: Person, email: str) -> httpx.Response:
    """Ask whether an address is somebody's."""
    sends = {"userId": str(who.id), "email": email}
    return await desk.call("POST", "/internal/invitations/claimant", sends=sends)


async def test_an_invitation_goes_to_whom_nobody_knows(desk: Desk, letterbox: Letterbox) -> None:
    ann = await desk.person(displayName="<b>http://evil.example</b>")
    email = f"New-{desk.mark}@example.org"
    name = '<a href="x">http://evil.example</a>'
    asked = await invite(desk, ann, email, projectName=name)
    assert (asked.status_code, asked.json()) == (200, {"isWelcome": True})
    mail = await letterbox.came(email, INVITED)
    assert mail.headers["Subject"] == INVITED
    assert token(mail) == TOKEN
    for text in (mail.text, mail.html):
        assert f"/api/v1/invitations/{TOKEN}/accept" in text
        assert ann.username in text
        assert "evil.example" not in text
        assert "http://evil" not in text
    assert "<a href" not in mail.html


async def test_an_address_gets_only_so_many_invitations_and_can_still_be_verified(
    serve: Serving, desk: Desk, letterbox: Letterbox
) -> None:
    async with serve(MAILS_TO_UNPROVEN_MAX="2") as client:
        desk.client = client
        ann, bob = await desk.person(), await desk.person()
        email = f"many-{desk.mark}@example.org"
        welcome = [
            (await invite(desk, who, to)).json()["isWelcome"]
            for who, to in [(ann, email), (bob, email.upper()), (ann, email), (bob, email)]
        ]
        assert welcome == [True, True, False, False]
        await settled(desk)
        assert len(letterbox.about(email, INVITED)) == 2
        await desk.person(email=email)
        await letterbox.came(email, VERIFY)


async def test_an_address_is_theirs_who_have_proven_it(desk: Desk, letterbox: Letterbox) -> None:
    ann, bob = await desk.person(), await desk.person()
    said = (await claims(desk, ann, ann.email)).json()
    assert said == {"username": ann.username, "displayName": ann.username, "isTheirs": False}
    sends = {"token": await letterbox.token(ann.email, VERIFY)}
    assert (await desk.call("POST", "/verify", sends=sends)).status_code == 200
    assert (await claims(desk, ann, ann.email.upper())).json()["isTheirs"] is True
    others = await claims(desk, bob, ann.email)
    assert others.json()["isTheirs"] is False
    assert ann.email not in others.text
    await desk.run("UPDATE account SET is_disabled = true WHERE id = :id", id=ann.id)
    assert code(await claims(desk, ann, ann.email)) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    "wrong",
    [
        {"email": "nobody"},
        {"email": "a@example.org\r\nBcc: b@example.org"},
        {"projectName": "Pong\r\nBcc: b@example.org"},
        {"token": "../../x"},
        {"lifetimeS": 0},
        {"link": "https://evil.example"},
    ],
)
async def test_what_is_no_invitation_is_not_sent(desk: Desk, wrong: dict[str, Any]) -> None:
    ann = await desk.person()
    refused = await invite(desk, ann, **{"email": "a@example.org"} | wrong)
    assert code(refused) == (400, "VALIDATION_ERROR")


async def test_only_the_fleet_has_invitations_sent(desk: Desk) -> None:
    for path in ("/internal/invitations", "/internal/invitations/claimant"):
        answer = await desk.client.post(path, json={})
        assert answer.status_code == 401
    ann = await desk.person()
    gone = Person(uuid7(), "", ann.username, ann.email, "", "")
    assert code(await invite(desk, gone, "a@example.org")) == (404, "NOT_FOUND")
