"""Mails leave at once, again and again, once each, and not for ever."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from services.auth.tests import apart
from services.auth.tests.desk import Desk, Person, person
from services.auth.tests.letterbox import Letterbox, settled, token

from auth.main import create_app
from common.testing.apps import Serving, serving
from common.testing.processes import process
from common.testing.waiting import until
from fleet.testing import Running

VERIFY = "Confirm your e-mail address"
CHANGE = "Confirm your new e-mail address"

type Telling = Callable[..., dict[str, str]]


@pytest.fixture(scope="session")
def office(stores: Running, told: dict[str, str]) -> Telling:
    """What a service is told whose mails nobody else sends."""
    database_url = apart.made(stores, "office").database_url

    def telling(**other: str) -> dict[str, str]:
        return told | {"DATABASE_URL": database_url} | other

    return telling


@pytest.fixture(scope="session")
def serve_alone(office: Telling) -> Serving:
    """Run the service where nobody else sends its mails."""
    return serving(create_app, office())


async def test_a_mail_says_what_it_is_and_whom_it_is_for(desk: Desk, letterbox: Letterbox) -> None:
    hostile = 'Ann <b onclick="x">http://evil.example</b>'
    ann = await desk.person(displayName=hostile)
    mail = await letterbox.came(ann.email, VERIFY)
    assert (mail.to, mail.sender) == ([ann.email], "no-reply@worldloom.example")
    headers = mail.headers
    assert headers["From"] == "Worldloom <no-reply@worldloom.example>"
    assert (headers["To"], headers["Subject"]) == (ann.email, VERIFY)
    assert headers["Auto-Submitted"] == "auto-generated"
    assert headers["Message-ID"].endswith("@worldloom.example>")
    assert headers["Date"]
    assert headers["Content-Type"].startswith("multipart/alternative")
    # a display name is a stranger's words: somebody else's address may get them
    for text in (mail.text, mail.html):
        assert f"Hello {ann.username}," in text
        assert "evil.example" not in text
        assert token(mail) in text
    assert "/api/v1/auth/verify" in mail.text


async def test_a_stranger_s_address_is_not_flooded_by_one_account_after_another(
    serve_alone: Serving, desk: Desk, letterbox: Letterbox
) -> None:
    address = f"stranger-{desk.mark}@example.org"
    async with serve_alone(MAILS_TO_UNPROVEN_MAX="3") as client:
        desk.client = client
        for _ in range(5):
            ann = await desk.person(email=address)
            gone = await desk.call("DELETE", "/api/v1/users/me", ann)
            assert gone.status_code == 204, gone.text
        await settled(desk)
        assert len(letterbox.about(address, VERIFY)) == 3
        # whose address it is is not kept out by that
        owner = await desk.person(email=address)
        sends = {"email": address}
        assert (await desk.call("POST", "/password/forgot", sends=sends)).status_code == 202
        assert (await letterbox.came(address, "password")).to == [owner.email]


async def test_a_stranger_s_address_is_not_flooded_by_what_somebody_does_to_one_account(
    serve_alone: Serving, desk: Desk, letterbox: Letterbox
) -> None:
    async with serve_alone(MAILS_TO_UNPROVEN_MAX="3") as client:
        desk.client = client
        ann = await desk.person()
        await password_changed(desk, ann, 6)
        asks = {"email": f"new-{ann.email}", "currentPassword": ann.password}
        assert (await desk.call("PATCH", "/api/v1/users/me", ann, sends=asks)).is_success
        await settled(desk)
        assert len(letterbox.all(ann.email)) == 3
        # what goes to the other address is counted for that one
        assert len(letterbox.about(f"new-{ann.email}", CHANGE)) == 1


async def test_who_has_proven_their_address_is_told_of_everything(
    serve_alone: Serving, desk: Desk, letterbox: Letterbox
) -> None:
    async with serve_alone(MAILS_TO_UNPROVEN_MAX="1") as client:
        desk.client = client
        ann = await desk.person()
        sends = {"token": await letterbox.token(ann.email, VERIFY)}
        assert (await desk.call("POST", "/verify", sends=sends)).is_success
        await password_changed(desk, ann, 4)
        new = f"new-{ann.email}"
        asks = {"email": new, "currentPassword": ann.password}
        assert (await desk.call("PATCH", "/api/v1/users/me", ann, sends=asks)).is_success
        sends = {"token": await letterbox.token(new, CHANGE)}
        assert (await desk.call("POST", "/verify", sends=sends)).is_success
        assert new in (await letterbox.came(ann.email, "address was changed")).text
        for _ in range(2):
            await desk.call("POST", "/password/forgot", sends={"email": new})
            await settled(desk)
        assert len(letterbox.about(new, "Set a new password")) == 2
        assert len(letterbox.about(ann.email, "password was changed")) == 4
        assert len(letterbox.about(ann.email, "about to change")) == 1


async def test_a_stranger_s_address_is_not_flooded_by_what_accounts_that_go_have_forgotten(
    serve_alone: Serving, desk: Desk, letterbox: Letterbox
) -> None:
    address = f"stranger-{desk.mark}@example.org"
    async with serve_alone(MAILS_TO_UNPROVEN_MAX="3") as client:
        desk.client = client
        for _ in range(5):
            ann = await desk.person(email=address)
            await desk.call("POST", "/password/forgot", sends={"email": address})
            await settled(desk)
            gone = await desk.call("DELETE", "/api/v1/users/me", ann)
            assert gone.status_code == 204, gone.text
        # what lets the owner in is counted apart from the rest
        assert len(letterbox.about(address, "Set a new password")) == 3
        assert len(letterbox.all(address)) == 6


async def test_an_address_is_quoted_where_it_has_to_be(desk: Desk, letterbox: Letterbox) -> None:
    ann = await desk.person()
    odd = f'<img/src="x">\'{desk.mark}@example.org'
    asks = {"email": odd, "currentPassword": ann.password}
    answer = await desk.call("PATCH", "/api/v1/users/me", ann, sends=asks)
    assert answer.status_code == 200, answer.text
    told = await letterbox.came(ann.email, "about to change")
    assert odd in told.text
    assert "<img" not in told.html
    quoted = odd.replace('"', '\\"').replace("@", '"@')
    given = await letterbox.token(f'"{quoted}', CHANGE)
    answer = await desk.call("POST", "/verify", sends={"token": given})
    assert answer.json()["data"]["email"] == odd


async def test_with_a_page_a_mail_has_a_link_to_it(
    serve_alone: Serving, desk: Desk, letterbox: Letterbox
) -> None:
    async with serve_alone(ACCOUNT_PAGES_URL="https://editor.example/account/") as client:
        desk.client = client
        ann = await desk.person()
        mail = await letterbox.came(ann.email, VERIFY)
        link, _, given = mail.text.partition("#token=")
        assert link.endswith("https://editor.example/account/verify")
        assert 'href="https://editor.example/account/verify#token=' in mail.html
        assert "curl" not in mail.text
        answer = await desk.call("POST", "/verify", sends={"token": given.split()[0]})
        assert answer.status_code == 200


async def test_while_the_server_is_away_mails_wait_and_none_is_lost(
    desk: Desk, letterbox: Letterbox
) -> None:
    early = await desk.person()
    await letterbox.came(early.email, VERIFY)
    await letterbox.close()
    try:
        people = [await desk.person() for _ in range(4)]
        answer = await desk.call("POST", "/password/forgot", sends={"email": early.email})
        assert answer.status_code == 202
        await desk.call("POST", "/verify/resend", people[0], sends={})
    finally:
        await letterbox.open()
    for who in people:
        await letterbox.came(who.email, VERIFY)
    await letterbox.came(early.email, "Set a new password")
    await settled(desk)
    assert [len(letterbox.about(who.email, VERIFY)) for who in people] == [2, 1, 1, 1]


async def test_who_is_put_off_gets_it_later(desk: Desk, letterbox: Letterbox) -> None:
    new = desk.registration(tokenDelivery="body")
    letterbox.refused[new["email"]] = "450 4.2.1 Come again"
    await desk.call("POST", "/register", sends=new)
    await until(lambda: tried(letterbox, new["email"], 3))
    del letterbox.refused[new["email"]]
    await letterbox.came(new["email"], VERIFY)
    await settled(desk)
    assert len(letterbox.about(new["email"], VERIFY)) == 1


@pytest.mark.parametrize("answers", ["refused", "spurned"])
async def test_who_is_refused_is_not_tried_again(
    desk: Desk, letterbox: Letterbox, answers: str
) -> None:
    new = desk.registration(tokenDelivery="body")
    getattr(letterbox, answers)[new["email"]] = "550 5.1.1 Nobody of that name"
    await desk.call("POST", "/register", sends=new)
    other = await desk.person()
    await letterbox.came(other.email, VERIFY)
    await settled(desk)
    assert letterbox.tried.count(new["email"]) == 1
    assert letterbox.all(new["email"]) == []


async def test_who_is_slow_keeps_nobody_waiting(desk: Desk, letterbox: Letterbox) -> None:
    slow = [desk.registration(tokenDelivery="body") for _ in range(3)]
    gate = asyncio.Event()
    letterbox.patience |= {new["email"]: gate for new in slow}
    try:
        for new in slow:
            await desk.call("POST", "/register", sends=new)
        for new in slow:
            await until(partial(tried, letterbox, new["email"], 1))
        others = [await desk.person() for _ in range(3)]
        for other in others:
            await letterbox.came(other.email, VERIFY)
        assert [mail for new in slow for mail in letterbox.all(new["email"])] == []
    finally:
        gate.set()
    for new in slow:
        await letterbox.came(new["email"], VERIFY)
    await settled(desk)
    assert [len(letterbox.all(new["email"])) for new in slow] == [1, 1, 1]


async def test_a_server_that_does_not_answer_is_tried_again(
    serve_alone: Serving, desk: Desk, letterbox: Letterbox
) -> None:
    new = desk.registration()
    gate = asyncio.Event()
    letterbox.patience[new["email"]] = gate
    async with serve_alone(MAIL_DELIVERY_S_MAX="0.3") as client:
        desk.client = client
        await desk.call("POST", "/register", sends=new)
        await until(lambda: tried(letterbox, new["email"], 2))
        gate.set()
        await letterbox.came(new["email"], VERIFY)


async def test_two_services_send_each_mail_once(
    serve_alone: Serving, desk: Desk, letterbox: Letterbox
) -> None:
    async with serve_alone() as first, serve_alone() as second:
        people: list[Person] = []
        for number in range(12):
            desk.client = (first, second)[number % 2]
            people.append(await desk.person())
        for who in people:
            await letterbox.came(who.email, VERIFY)
        await settled(desk)
    assert [len(letterbox.about(who.email, VERIFY)) for who in people] == [1] * 12


async def test_what_a_service_leaves_when_it_dies_another_sends(
    office: Telling, serve_alone: Serving, desk: Desk, letterbox: Letterbox
) -> None:
    new = desk.registration(tokenDelivery="body")
    gate = asyncio.Event()
    letterbox.patience[new["email"]] = gate
    async with process("auth.main:create_app", office(MAIL_DELIVERY_S_MAX="1")) as dying:
        answer = await dying.call("POST", "/api/v1/auth/register", sends=new)
        ann = person(answer, new["password"])
        await until(lambda: tried(letterbox, ann.email, 1))
        await dying.close()
    gate.set()
    async with serve_alone() as client:
        desk.client = client
        given = await letterbox.token(ann.email, VERIFY)
        answer = await desk.call("POST", "/verify", sends={"token": given})
        assert answer.status_code == 200


async def test_what_nobody_wants_to_read_any_more_is_dropped(
    serve_alone: Serving, desk: Desk, letterbox: Letterbox
) -> None:
    async with serve_alone(SMTP_HOST="") as client:
        desk.client = client
        ann = await desk.person()
        await desk.run("UPDATE mail SET expires_at = now()")
        await settled(desk)
    async with serve_alone() as client:
        desk.client = client
        bob = await desk.person()
        await letterbox.came(bob.email, VERIFY)
    assert letterbox.all(ann.email) == []


async def test_without_a_server_mails_wait_for_one(
    serve_alone: Serving, desk: Desk, letterbox: Letterbox
) -> None:
    async with serve_alone(SMTP_HOST="") as client:
        desk.client = client
        ann = await desk.person()
        await until(lambda: attempted(desk))
    async with serve_alone() as client:
        desk.client = client
        given = await letterbox.token(ann.email, VERIFY)
        assert (await desk.call("POST", "/verify", sends={"token": given})).status_code == 200


async def test_the_log_says_what_is_dropped_and_tells_no_secret(
    office: Telling, desk: Desk, letterbox: Letterbox, tmp_path: Path
) -> None:
    lucky, unlucky = desk.registration(tokenDelivery="body"), desk.registration()
    letterbox.refused[unlucky["email"]] = f"450 4.2.1 {unlucky['email']} is busy"
    log = tmp_path / "log"
    told = office(MAIL_ATTEMPTS_MAX="2", LOG_LEVEL="debug", ACCESS_LOG="true")
    async with process("auth.main:create_app", told, log) as service:
        for new in (lucky, unlucky):
            answer = await service.call("POST", "/api/v1/auth/register", sends=new)
            assert answer.status_code == 201, answer.text
        given = await letterbox.token(lucky["email"], VERIFY)
        sends = {"token": given}
        await service.call("POST", "/api/v1/auth/verify", sends=sends)

        async def dropped() -> list[dict[str, Any]]:
            return lines(log, "mail_dropped")

        (found,) = await until(dropped)
    assert (found["level"], found["kind"], found["attempts"]) == ("error", "verify", 2)
    assert len(lines(log, "mail_postponed")) == 2
    assert letterbox.tried.count(unlucky["email"]) == 2
    (sent,) = lines(log, "mail_sent")
    asked = [line["requestId"] for line in lines(log, "request") if "register" in line["path"]]
    assert sent["requestId"] in asked
    written = log.read_text(encoding="utf-8")
    assert given not in written
    assert lucky["email"] not in written
    assert unlucky["email"] not in written


async def test_a_service_without_a_server_says_so(office: Telling, tmp_path: Path) -> None:
    log = tmp_path / "log"
    told = office(SMTP_HOST="", LOG_LEVEL="info")
    async with process("auth.main:create_app", told, log):
        (found,) = lines(log, "mail_waits")
    assert found["level"] == "warning"


async def password_changed(desk: Desk, who: Person, times: int) -> None:
    """Change somebody's password to and fro: an even number of times, it is as it was."""
    passwords = [who.password, "another fine password"]
    for _ in range(times):
        sends = {"currentPassword": passwords[0], "password": passwords[1]}
        answer = await desk.call("POST", "/password/change", who, sends=sends)
        assert answer.status_code == 204, answer.text
        passwords.reverse()


async def tried(letterbox: Letterbox, to: str, count: int) -> bool:
    """Whether a mail for somebody was begun so often."""
    return letterbox.tried.count(to) >= count


async def attempted(desk: Desk) -> bool:
    """Whether the newest mail was looked at."""
    newest = "SELECT attempts AS value FROM mail ORDER BY created_at DESC LIMIT 1"
    return await desk.one(newest, sa.BigInteger()) > 0


def lines(log: Path, event: str) -> list[dict[str, Any]]:
    """What was logged of one kind."""
    found = [msgspec.json.decode(line) for line in log.read_bytes().splitlines()]
    return [line for line in found if line["event"] == event]
