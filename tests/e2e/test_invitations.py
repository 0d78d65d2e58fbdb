"""Who comes into a project by a mail, and who only reads it by a link."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from common.ids import uuid7
from fleet.testing import Running

_TOKEN = re.compile(r"This is the token:\s+(\S+)")
INVITED = "You are invited to a project"
VERIFY = "Confirm your e-mail address"

type Token = Callable[[str, str], Awaitable[str]]


@pytest.fixture
def token(fleet_up: Running, until) -> Token:
    """Wait for a mail to somebody in the catcher's inbox, and take the token out of it."""

    async def arrived(to: str, subject: str) -> str:
        async def look() -> str | None:
            async with httpx.AsyncClient(base_url=fleet_up.mail_url) as client:
                found = (await client.get("/api/mails", params={"to": to})).json()
            mails = [_TOKEN.search(one["text"]) for one in found if subject in one["subject"]]
            return mails[0][1] if mails and mails[0] else None

        found: str = await until(look)
        return found

    return arrived


def failed(answer: httpx.Response) -> tuple[int, str]:
    """How an answer failed."""
    return answer.status_code, answer.json()["error"]["code"]


async def registered(gateway: httpx.AsyncClient, email: str) -> dict[str, str]:
    """Make an account for an address; return the headers of whoever is logged in to it."""
    name = f"p{uuid7().hex[-20:]}"
    new = {"email": email, "username": name, "password": "correct horse", "tokenDelivery": "body"}
    answer = await gateway.post("/api/v1/auth/register", json=new)
    assert answer.status_code == 201, answer.text
    return {"authorization": f"Bearer {answer.json()['data']['accessToken']}"}


async def invited(client: httpx.AsyncClient, project: str, email: str) -> dict[str, Any]:
    """Invite somebody as an editor."""
    sends = {"email": email, "role": "editor"}
    answer = await client.post(f"/api/v1/projects/{project}/invitations", json=sends)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()["data"]
    return made


async def test_who_is_invited_before_they_have_an_account_comes_in(person, gateway, token) -> None:
    ann, bob = await person(), await person()
    project = await ann.project()
    email = f"invited-{uuid7()}@example.org"
    assert (await invited(ann.client, project, email))["status"] == "pending"
    accept = f"/api/v1/invitations/{await token(email, INVITED)}/accept"
    assert failed(await gateway.post(accept)) == (401, "UNAUTHENTICATED")
    assert failed(await bob.client.post(accept)) == (403, "FORBIDDEN")

    carol = await registered(gateway, email)
    # whose the address is has not been shown yet
    assert failed(await gateway.post(accept, headers=carol)) == (403, "FORBIDDEN")
    proof = {"token": await token(email, VERIFY)}
    assert (await gateway.post("/api/v1/auth/verify", json=proof)).status_code == 200
    came = await gateway.post(accept, headers=carol)
    assert (came.status_code, came.json()["data"]["role"]) == (200, "editor")
    file = f"/api/v1/projects/{project}/files/a.txt"
    wrote = await gateway.put(file, headers=carol, json={"content": "hello"})
    assert wrote.status_code == 201
    assert failed(await gateway.post(accept, headers=carol)) == (404, "NOT_FOUND")
    pending = await ann.client.get(f"/api/v1/projects/{project}/invitations")
    assert pending.json()["data"] == []
    # the last owner stays
    own = f"/api/v1/projects/{project}/collaborators/{ann.user_id}"
    assert failed(await ann.client.delete(own)) == (409, "LAST_OWNER")


async def test_who_came_in_by_a_mail_is_let_in_by_the_others_too(
    person, gateway, token, until
) -> None:
    ann, bob = await person(), await person()
    project = await ann.project()
    email = f"{bob.username}@example.org"
    proof = {"token": await token(email, VERIFY)}
    assert (await gateway.post("/api/v1/auth/verify", json=proof)).status_code == 200
    await invited(ann.client, project, email)
    order = {"projectId": project, "target": "web"}
    assert failed(await bob.client.post("/api/v1/builds", json=order)) == (404, "NOT_FOUND")
    accept = f"/api/v1/invitations/{await token(email, INVITED)}/accept"
    assert (await bob.client.post(accept)).status_code == 200
    file = f"/api/v1/projects/{project}/files/index.html"
    assert (await bob.client.put(file, json={"content": "<p>"})).status_code == 201

    async def is_building() -> bool:
        return bool((await bob.client.post("/api/v1/builds", json=order)).status_code == 201)

    await until(is_building)

    async def is_in_the_library() -> bool:
        answer = await bob.client.get(f"/api/v1/projects/{project}/assets")
        return bool(answer.status_code == 200)

    await until(is_in_the_library)


async def test_an_invitation_that_was_revoked_lets_nobody_in(person, token) -> None:
    ann, bob = await person(), await person()
    project = await ann.project()
    email = f"{bob.username}@example.org"
    made = await invited(ann.client, project, email)
    accept = f"/api/v1/invitations/{await token(email, INVITED)}/accept"
    path = f"/api/v1/projects/{project}/invitations/{made['id']}"
    assert (await ann.client.delete(path)).status_code == 204
    assert failed(await bob.client.post(accept)) == (404, "NOT_FOUND")
    assert (await bob.client.get(f"/api/v1/projects/{project}")).status_code == 404


async def test_anybody_reads_by_a_link_until_it_is_revoked(person, gateway) -> None:
    ann = await person()
    project = await ann.project()
    base = f"/api/v1/projects/{project}"
    await ann.client.put(f"{base}/files/src/a.txt", json={"content": "hello"})
    link = (await ann.client.post(f"{base}/share-links", json={})).json()["data"]
    shown = await gateway.get(link["url"])
    assert (shown.status_code, shown.json()["data"]["role"]) == (200, "viewer")
    entries = (await gateway.get(f"{link['url']}/tree")).json()["data"]["entries"]
    assert [entry["path"] for entry in entries] == ["src/a.txt"]
    file = f"{link['url']}/files/src/a.txt"
    assert (await gateway.get(f"{file}?raw=1")).content == b"hello"
    for method in ("PUT", "POST", "DELETE"):
        refused = await gateway.request(method, file, json={"content": "x"})
        assert failed(refused) == (405, "METHOD_NOT_ALLOWED")
    assert (await gateway.get(base)).status_code == 404
    revoked = await ann.client.delete(f"{base}/share-links/{link['id']}")
    assert revoked.status_code == 204
    for path in (link["url"], f"{link['url']}/tree", file):
        assert failed(await gateway.get(path)) == (404, "NOT_FOUND")
