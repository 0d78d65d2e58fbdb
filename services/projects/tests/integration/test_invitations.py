"""Invitations through HTTP, beside the real auth service, which sends them and knows addresses."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa
from services.projects.tests.desk import Desk, registered

from common.database import Database
from common.ids import uuid7
from common.testing.apps import Serving
from common.testing.processes import Process
from common.testing.waiting import until
from projects.tables import InvitationRow
from projects.tokens import digest, fresh

ADDRESS = "198.51.100.7"
_KNOW = sa.text(
    "UPDATE invitation SET token_hash = :token_hash WHERE project_id = :project_id AND folded = :to"
).bindparams(sa.bindparam("token_hash", type_=sa.LargeBinary))
_PASS = sa.text("UPDATE invitation SET expires_at = now() - interval '1 s' WHERE project_id = :id")
_AGE = sa.text(
    "UPDATE invitation SET expires_at = now() - make_interval(0, 0, 0, :days) "
    "WHERE project_id = :id AND folded = :to"
).bindparams(sa.bindparam("days", type_=sa.Integer))
_ADDRESSES = (
    sa.select(InvitationRow.email)
    .where(InvitationRow.project_id == sa.bindparam("id", type_=sa.Uuid))
    .order_by(InvitationRow.email)
)
_VERIFY = sa.text("UPDATE account SET is_email_verified = true WHERE id = :id")
_WAITING = sa.select(sa.text("count(*) FROM mail WHERE kind = 'invitation'"))

type Account = dict[str, Any]


@pytest.fixture
async def auths(auth_told: dict[str, str], auth: Process) -> AsyncGenerator[Database]:
    """What auth keeps: a mail is answered behind its back, because nobody sends it here."""
    assert await auth.is_ready()
    url = auth_told["DATABASE_URL"]
    db = await Database.connect(url, pool_size=1, wait_s=10, statement_s_max=10)
    yield db
    await db.close()


@pytest.fixture
def people(auth: Process, auths: Database) -> Callable[[], Awaitable[Account]]:
    """A way to meet somebody whose address is verified."""

    async def meet() -> Account:
        account = await registered(auth)
        await auths.run(_VERIFY, id=UUID(account["id"]))
        return account

    return meet


@pytest.fixture
async def owned(desk: Desk, auth: Process) -> str:
    """A project whose owner auth knows."""
    desk.owner = UUID((await registered(auth))["id"])
    return await desk.project()


async def invite(desk: Desk, project: str, email: str, role: str = "editor") -> httpx.Response:
    """Invite somebody as the owner."""
    sends = {"email": email, "role": role}
    return await desk.call("POST", f"{project}/invitations", sends=sends)


async def invited(desk: Desk, project: str, email: str, role: str = "editor") -> str:
    """Invite somebody; return a token as good as the one that only the mail says."""
    made = await invite(desk, project, email, role)
    assert made.status_code == 201, made.text
    token, project_id = fresh(), UUID(project.rpartition("/")[2])
    known = {"token_hash": digest(token), "project_id": project_id, "to": email.casefold()}
    await desk.client.db.run(_KNOW, **known)
    return token


async def accept(desk: Desk, token: str, who: Account | None = None) -> httpx.Response:
    """Come in by a token."""
    user = UUID(who["id"]) if who else desk.stranger
    sent = {"x_envoy_external_address": ADDRESS}
    return await desk.call("POST", f"/api/v1/invitations/{token}/accept", user, **sent)


def failed(answer: httpx.Response) -> tuple[int, str]:
    """How an answer failed."""
    return answer.status_code, answer.json()["error"]["code"]


async def test_somebody_is_invited_by_an_address_that_nobody_has(
    desk: Desk, owned: str, auths: Database
) -> None:
    before = await auths.one(_WAITING, int)
    email = f"New-{uuid7()}@example.org"
    made = await invite(desk, owned, email, "commenter")
    data = made.json()["data"]
    assert made.status_code == 201
    assert made.headers["location"] == f"{owned}/invitations/{data['id']}"
    assert set(data) == {"id", "email", "role", "status", "invitedBy", "createdAt", "expiresAt"}
    assert (data["email"], data["role"], data["status"]) == (email, "commenter", "pending")
    assert data["invitedBy"] == str(desk.owner)
    assert (await desk.call("GET", f"{owned}/invitations")).json()["data"] == [data]
    assert await auths.one(_WAITING, int) > before

    again = await invite(desk, owned, email.lower(), "viewer")
    newer = again.json()["data"]
    assert (again.status_code, newer["id"], newer["role"]) == (201, data["id"], "viewer")
    assert (await desk.call("GET", f"{owned}/invitations")).json()["data"] == [newer]
    # nobody is a member by that
    assert await desk.subjects(owned) == ["project.created", "access.changed"]


async def test_who_is_invited_comes_in_once(desk: Desk, owned: str, people) -> None:
    ann = await people()
    token = await invited(desk, owned, ann["email"].upper(), "commenter")
    came = await accept(desk, token, ann)
    data = came.json()["data"]
    assert (came.status_code, data["name"], data["role"]) == (200, "Pong", "commenter")
    assert (await desk.call("GET", owned, UUID(ann["id"]))).status_code == 200
    assert failed(await accept(desk, token, ann)) == (404, "NOT_FOUND")
    assert (await desk.call("GET", f"{owned}/invitations")).json()["data"] == []
    (added, access) = await desk.news(owned, 2)
    assert added[0] == "member.added.v1"
    assert (added[1]["userId"], added[1]["actorId"]) == (ann["id"], ann["id"])
    assert (added[1]["role"], added[1]["address"]) == ("commenter", ADDRESS)
    assert access[1]["roles"] == {str(desk.owner): "owner", ann["id"]: "commenter"}
    members = (await desk.call("GET", f"{owned}/collaborators")).json()["data"]
    assert members[1]["username"] == ann["username"]


async def test_nobody_comes_in_by_what_was_somebody_else_s(
    desk: Desk, owned: str, auth: Process, people
) -> None:
    ann, bob = await people(), await people()
    unproven = await registered(auth)
    token = await invited(desk, owned, ann["email"])
    assert failed(await accept(desk, token, bob)) == (403, "FORBIDDEN")
    # whose account auth does not know
    assert failed(await accept(desk, token)) == (403, "FORBIDDEN")
    theirs = await invited(desk, owned, unproven["email"])
    assert failed(await accept(desk, theirs, unproven)) == (403, "FORBIDDEN")
    assert (await accept(desk, token, ann)).status_code == 200
    nobody = await desk.client.call("POST", f"/api/v1/invitations/{theirs}/accept")
    assert failed(nobody) == (401, "UNAUTHENTICATED")


async def test_a_key_for_machines_accepts_nothing(desk: Desk, owned: str, people) -> None:
    ann = await people()
    token = await invited(desk, owned, ann["email"])
    key = {"x_auth_method": "api_key", "x_auth_scopes": "projects:read projects:write"}
    path = f"/api/v1/invitations/{token}/accept"
    answer = await desk.call("POST", path, UUID(ann["id"]), **key)
    assert failed(answer) == (403, "INSUFFICIENT_SCOPE")


async def test_of_two_who_accept_at_once_one_comes_in(
    desk: Desk, other: Process, owned: str, people
) -> None:
    ann = await people()
    token = await invited(desk, owned, ann["email"])
    path = f"/api/v1/invitations/{token}/accept"
    answers = await asyncio.gather(
        *(door.call("POST", path, UUID(ann["id"])) for door in (desk.client, other) * 4)
    )
    assert sorted(answer.status_code for answer in answers) == [200, *[404] * 7]
    added = [kind for kind in await desk.subjects(owned) if kind == "member.added"]
    assert added == ["member.added"]


async def test_an_invitation_ends(desk: Desk, owned: str, people) -> None:
    ann = await people()
    path, project_id = f"{owned}/invitations", UUID(owned.rpartition("/")[2])
    replaced = await invited(desk, owned, ann["email"])
    revoked = await invited(desk, owned, ann["email"])
    assert failed(await accept(desk, replaced, ann)) == (404, "NOT_FOUND")
    (one,) = (await desk.call("GET", path)).json()["data"]
    assert (await desk.call("DELETE", f"{path}/{one['id']}")).status_code == 204
    assert failed(await desk.call("DELETE", f"{path}/{one['id']}")) == (404, "NOT_FOUND")
    assert failed(await accept(desk, revoked, ann)) == (404, "NOT_FOUND")
    assert failed(await accept(desk, "no-such-token", ann)) == (404, "NOT_FOUND")

    late = await invited(desk, owned, ann["email"])
    await desk.client.db.run(_PASS, id=project_id)
    assert failed(await accept(desk, late, ann)) == (410, "GONE")
    assert (await desk.call("GET", path)).json()["data"] == []

    kept = await invited(desk, owned, ann["email"])
    assert (await desk.call("DELETE", owned)).status_code == 204
    assert failed(await accept(desk, kept, ann)) == (404, "NOT_FOUND")
    assert (await desk.call("POST", f"{owned}/restore")).status_code == 200
    assert (await accept(desk, kept, ann)).status_code == 200


async def test_an_address_is_forgotten_a_while_after_its_invitation_ended(
    desk: Desk, serve: Serving, owned: str
) -> None:
    project_id = UUID(owned.rpartition("/")[2])
    emails = [f"{uuid7()}@example.org" for _ in range(4)]
    for email in emails:
        await invite(desk, owned, email)
    # one is good still, one is told that it is too late, two are nobody's business any more
    for email, days in zip(emails[1:], (1, 8, 9), strict=True):
        await desk.client.db.run(_AGE, id=project_id, to=email, days=days)
    kept = sorted(emails[:2])

    async def is_swept() -> bool:
        return await desk.client.db.all(_ADDRESSES, str, id=project_id) == kept

    async with serve(SWEEP_EVERY_S="0.01", SWEEP_ROWS_MAX="1"):
        assert await until(is_swept)


@pytest.mark.parametrize(
    ("is_now", "invited_as", "is_then"),
    [("viewer", "editor", "editor"), ("editor", "viewer", "editor"), ("owner", "viewer", "owner")],
)
async def test_who_is_in_by_then_keeps_the_stronger_role(
    desk: Desk, owned: str, people, is_now: str, invited_as: str, is_then: str
) -> None:
    ann = await people()
    token = await invited(desk, owned, ann["email"], invited_as)
    sends = {"userId": ann["id"], "role": is_now}
    added = await desk.call("POST", f"{owned}/collaborators", sends=sends)
    assert added.status_code == 201
    count = len(await desk.events(owned))
    came = await accept(desk, token, ann)
    assert (came.status_code, came.json()["data"]["role"]) == (200, is_then)
    assert failed(await accept(desk, token, ann)) == (404, "NOT_FOUND")
    news = (await desk.subjects(owned))[count:]
    assert news == ([] if is_now == is_then else ["member.changed", "access.changed"])


async def test_a_member_is_not_invited(desk: Desk, owned: str, auth: Process) -> None:
    ann = await registered(auth)
    sends = {"userId": ann["id"], "role": "viewer"}
    await desk.call("POST", f"{owned}/collaborators", sends=sends)
    assert failed(await invite(desk, owned, ann["email"].upper())) == (409, "CONFLICT")
    assert (await desk.call("GET", f"{owned}/invitations")).json()["data"] == []


async def test_only_owners_invite_and_see_who_is_invited(desk: Desk, auth: Process) -> None:
    project = await desk.staffed()
    assert await auth.is_ready()
    path = f"{project}/invitations"
    sends = {"email": "a@example.org", "role": "viewer"}
    for user, status in ((desk.editor, 403), (desk.viewer, 403), (desk.stranger, 404)):
        assert (await desk.call("POST", path, user, sends=sends)).status_code == status
        assert (await desk.call("GET", path, user)).status_code == status
        assert (await desk.call("DELETE", f"{path}/{uuid7()}", user)).status_code == status
    assert (await desk.client.call("GET", path)).status_code == 401


@pytest.mark.parametrize(
    "wrong",
    [
        {"role": "owner"},
        {"role": "admin"},
        {"email": "nobody"},
        {"email": "a\0@example.org"},
        {"email": "a@example.org\r\nBcc: b@example.org"},
        {"email": f"{'a' * 65}@example.org"},
        {"token": "x"},
    ],
)
async def test_what_is_no_invitation_is_refused(desk: Desk, wrong: dict[str, str]) -> None:
    sends = {"email": "a@example.org", "role": "viewer", **wrong}
    answer = await desk.call("POST", f"{await desk.project()}/invitations", sends=sends)
    assert failed(answer) == (400, "VALIDATION_ERROR")


async def test_a_project_has_so_many_invitations_and_members(
    serve: Serving, auth: Process, people
) -> None:
    async with serve(INVITATIONS_PER_PROJECT_MAX="2", MEMBERS_PER_PROJECT_MAX="2") as client:
        desk = Desk(client)
        desk.owner = UUID((await registered(auth))["id"])
        project = await desk.project()
        ann, bob = await people(), await people()
        tokens = [await invited(desk, project, each["email"]) for each in (ann, bob)]
        full = await invite(desk, project, f"{uuid7()}@example.org")
        assert failed(full) == (403, "QUOTA_EXCEEDED")
        assert full.json()["error"]["details"] == [{"limit": 2, "used": 2}]
        # one of them again is none more
        assert (await invite(desk, project, ann["email"])).status_code == 201
        assert (await accept(desk, tokens[1], bob)).status_code == 200
        token = await invited(desk, project, ann["email"])
        crowded = await accept(desk, token, ann)
        assert failed(crowded) == (403, "QUOTA_EXCEEDED")
        assert crowded.json()["error"]["details"] == [{"limit": 2, "used": 2}]
        # it is not used up by that
        assert len((await desk.call("GET", f"{project}/invitations")).json()["data"]) == 1


async def test_an_address_is_not_flooded(desk: Desk, owned: str) -> None:
    email = f"{uuid7()}@example.org"
    answers = [await invite(desk, owned, email) for _ in range(11)]
    assert {answer.status_code for answer in answers[:10]} == {201}
    assert failed(answers[10]) == (429, "RATE_LIMITED")
    assert answers[10].headers["retry-after"] == "3600"


async def test_without_auth_an_invitation_waits_to_be_sent_again(
    desk: Desk, serve: Serving, owned: str
) -> None:
    email = f"{uuid7()}@example.org"
    async with serve(AUTH_URL="http://127.0.0.1:9") as client:
        alone = Desk(client)
        alone.owner = desk.owner
        refused = await invite(alone, owned, email)
        assert failed(refused) == (503, "UNAVAILABLE")
    (one,) = (await desk.call("GET", f"{owned}/invitations")).json()["data"]
    assert one["email"] == email
    assert (await invite(desk, owned, email)).json()["data"]["id"] == one["id"]


async def test_a_mail_that_is_asked_for_twice_with_a_key_is_one(
    desk: Desk, owned: str, auths: Database
) -> None:
    before = await auths.one(_WAITING, int)
    sends = {"email": f"{uuid7()}@example.org", "role": "viewer"}
    key = {"idempotency_key": str(uuid7())}
    path = f"{owned}/invitations"
    first, second = [await desk.call("POST", path, sends=sends, **key) for _ in range(2)]
    assert first.json() == second.json()
    assert await auths.one(_WAITING, int) == before + 1
