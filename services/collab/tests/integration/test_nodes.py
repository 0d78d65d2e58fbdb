"""A second node of collab, with the real auth service: what both rely on is not in memory."""

import asyncio
from base64 import urlsafe_b64decode
from uuid import UUID

import httpx
import msgspec
import pytest

from common.ids import uuid7
from common.testing.processes import free_port
from fleet import ports


@pytest.fixture(scope="module")
async def accounts(process, service_env):
    """The real auth service."""
    # it sends nobody's mails: auth's own tests wait for theirs
    env = service_env("auth") | {"PORT": str(free_port()), "MAIL_PARALLEL_MAX": "0"}
    auth = process(("common.serve", "auth.main:create_app"), env)
    await auth.start()
    yield auth
    await auth.end()


@pytest.fixture(scope="module")
async def node(process, service_env, accounts, seat):
    """Another node, on other ports."""
    free = ports.free()
    async with seat() as desk:
        projects = desk.projects.url
    own = {
        "PORT": str(free.collab),
        "SOCKET_PORT": str(free.collab_socket),
        "AUTH_URL": accounts.url,
        "PROJECTS_URL": projects,
        "DRAIN_SECONDS": "0.2",
        "HEARTBEAT_S": "0.5",
        "AUTH_WAIT_S": "0.5",
        "SEND_BUFFER_BYTES_MAX": "262144",
        "DOCUMENT_BYTES_MAX": "16777216",
    }
    made = process(("collab.main",), service_env("collab") | own)
    await made.start()
    yield made
    await made.end()


class Person:
    """Somebody with an account and a session."""

    def __init__(self, auth, answer):
        self.auth = auth
        self.user_id = UUID(answer["user"]["id"])
        self.token = answer["accessToken"]
        body = self.token.split(".")[1]
        claims = msgspec.json.decode(urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        self.headers = {
            "x-fleet-secret": auth.env["FLEET_SECRET"],
            "x-user-id": str(self.user_id),
            "x-auth-session": claims["sid"],
            "authorization": f"Bearer {self.token}",
        }

    async def post(self, path):
        """Call auth as the gateway would."""
        async with httpx.AsyncClient(base_url=self.auth.url) as client:
            answer = await client.post(f"/api/v1/auth/{path}", headers=self.headers)
        assert answer.is_success, answer.text
        return answer

    async def ticket(self):
        """A fresh ticket."""
        return (await self.post("ws-ticket")).json()["data"]["ticket"]


@pytest.fixture
async def person(accounts):
    """Somebody who has just registered."""
    name = f"p{uuid7().hex[-16:]}"
    body = {
        "email": f"{name}@example.test",
        "username": name,
        "password": "correct horse battery",
        "tokenDelivery": "body",
    }
    secret = {"x-fleet-secret": accounts.env["FLEET_SECRET"]}
    async with httpx.AsyncClient(base_url=accounts.url) as client:
        answer = await client.post("/api/v1/auth/register", json=body, headers=secret)
    assert answer.status_code == 201, answer.text
    return Person(accounts, answer.json()["data"])


async def closed(socket):
    """The code that a socket is closed with."""
    async with asyncio.timeout(5):
        await socket.wait_closed()
    return socket.close_code


async def test_tickets_and_tokens_of_auth_are_good(desk, node, person):
    project = await desk.project()
    await desk.invite(project, person.user_id, "editor")
    by_ticket = f"/projects/{project}?ticket={await person.ticket()}"
    guest = desk.guest(await desk.connect(by_ticket, node=node))
    assert (await guest.frame(type="welcome"))["role"] == "editor"
    assert await closed(await desk.connect(by_ticket, node=node)) == 4401
    by_token = f"/projects/{project}?access_token={person.token}"
    guest = desk.guest(await desk.connect(by_token, node=node))
    assert (await guest.say(type="auth.refresh", accessToken=person.token))["ok"]


async def test_sockets_end_with_the_session(desk, node, person):
    project = await desk.project()
    await desk.invite(project, person.user_id, "viewer")
    path = f"/projects/{project}?access_token={person.token}"
    sockets = [await desk.connect(path, node=node) for _ in range(2)]
    assert await sockets[0].recv()
    await person.post("logout")
    assert [await closed(socket) for socket in sockets] == [4401, 4401]


async def test_who_comes_to_another_node_meets_those_of_the_owner(desk, node, person):
    project = await desk.project()
    await desk.invite(project, person.user_id, "editor")
    await desk.write(project, "a.txt", "text")
    one = await desk.open(project, "a.txt", desk.owner)
    path = f"/documents/{project}/a.txt?access_token={person.token}"
    two = desk.yjs(await desk.connect(path, node=node))
    await two.sync()
    await one.type(4, " of one")
    await two.until_text("text of one")
    await two.type(0, "two's ")
    await two.sync()
    await one.until_text("two's text of one")
    await two.speak(5, 1, {"cursor": 3})
    await one.until(lambda: 5 in one.awareness)
    assert one.awareness[5]["user"] == {"id": str(person.user_id)}
    assert await desk.read(project, "a.txt") == "two's text of one"


async def test_events_reach_rooms_on_every_node(desk, node, person):
    project = await desk.project()
    await desk.invite(project, person.user_id, "viewer")
    here = await desk.room(project, desk.owner)
    path = f"/projects/{project}?access_token={person.token}"
    there = desk.guest(await desk.connect(path, node=node))
    assert (await there.say(type="join-project"))["ok"]
    await desk.write(project, "a.txt", "text")
    told = [await guest.frame(type="file-created", path="a.txt") for guest in (here, there)]
    assert told[0] == told[1]


async def test_who_does_not_say_who_they_are_is_sent_away(desk, node):
    assert await closed(await desk.connect(f"/projects/{uuid7()}", node=node)) == 4408


async def test_who_vanishes_has_left(desk, node, person):
    project = await desk.project()
    await desk.invite(project, person.user_id, "viewer")
    path = f"/projects/{project}?access_token={person.token}"
    stays = desk.guest(await desk.connect(path, node=node))
    await stays.say(type="join-project")
    ghost = desk.guest(await desk.connect(path, node=node))
    await ghost.say(type="join-project")
    await ghost.say(type="presence.update", state={"tab": 2})
    ghost.socket.transport.pause_reading()
    path = f"http://127.0.0.1:{node.env['PORT']}/api/v1/projects/{project}/presence"
    headers = {"x-fleet-secret": node.env["FLEET_SECRET"], "x-user-id": str(person.user_id)}
    async with httpx.AsyncClient() as client, asyncio.timeout(10):
        while True:
            users = (await client.get(path, headers=headers)).json()["data"]["users"]
            if len(users[0]["sessions"]) == 1:
                break
            await stays.say(type="ping")
            await asyncio.sleep(0.1)
    ghost.socket.transport.resume_reading()


async def test_a_reader_too_slow_is_cut_off_alone(desk, node, person):
    project = await desk.project()
    await desk.invite(project, person.user_id, "editor")
    await desk.write(project, "a.txt", "")
    path = f"/documents/{project}/a.txt?access_token={person.token}"
    one, slow, other = [desk.yjs(await desk.connect(path, node=node)) for _ in range(3)]
    for client in (one, slow, other):
        await client.sync()
    slow.socket.transport.pause_reading()
    page = "x" * 65_536
    for _ in range(16):
        for _ in range(10):
            await one.type(0, page)
        await one.sync()
    await other.until(lambda: len(str(other.text)) == 160 * len(page))
    slow.socket.transport.resume_reading()
    # who does not read for long does not hear why either
    assert await slow.closed() in {1013, 1006}
    await one.type(0, "!")
    await other.until(lambda: str(other.text).startswith("!"))
