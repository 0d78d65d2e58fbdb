"""Who may do what in a room, how many may be there, and how those leave who say nothing."""

from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from common.ids import uuid7
from common.testing.waiting import until


@pytest.fixture(scope="module")
async def seat(desk_on, stores, service_env):
    """A seat at a process whose rooms are small, and that misses people soon."""
    limits = {"ROOM_TABS_MAX": "3", "ROOM_SOCKETS_MAX": "5", "HEARTBEAT_S": "0.5"}
    async with desk_on(service_env, stores, **limits) as made:
        yield made


@pytest.fixture
async def project(desk):
    """A project whose members have all the roles."""
    made = await desk.project()
    desk.commenter = uuid7()
    await desk.invite(made, desk.commenter, "commenter")
    return made


async def publish(desk, project):
    """Let everybody read the project; collab has heard of it when a stranger is let in."""
    await desk.rest("PATCH", f"/projects/{project}", json={"isPublic": True})
    path = f"/projects/{project}/presence"

    async def is_open():
        return (await desk.ask("GET", path, desk.stranger)).status_code == 200

    await until(is_open)


FRAMES: list[dict[str, Any]] = [
    {"type": "ping"},
    {"type": "join-project"},
    {"type": "presence.update", "state": {"a": 1}},
    {"type": "cursor", "path": "a.txt", "selection": 1},
    {"type": "chat", "text": "x"},
    {"type": "leave-project"},
]


async def outcomes(desk, guest, user):
    """What comes of each frame, and of a newer token at the end."""
    frames = [*FRAMES, {"type": "auth.refresh", "accessToken": desk.auth.token(user)}]
    answers = [await guest.say(**frame) for frame in frames]
    return ["ok" if answer.get("ok") else answer["error"]["code"] for answer in answers]


async def last_word(desk, project, witness):
    """Say something, and wait until it is heard: what was said before was heard before."""
    said = await desk.ask("POST", f"/projects/{project}/chat", desk.owner, json={"text": "end"})
    assert said.status_code == 201
    await witness.frame(type="chat", text="end")


@pytest.mark.parametrize("role", ["owner", "editor", "commenter", "viewer", "stranger"])
async def test_who_may_say_what_in_a_room(desk, project, role):
    await publish(desk, project)
    user = getattr(desk, role)
    witness = await desk.room(project, desk.owner)
    guest = await desk.room(project, user, joins=False)
    wanted = ["ok"] * 7
    if role in {"viewer", "stranger"}:
        wanted[4] = "FORBIDDEN"
    assert await outcomes(desk, guest, user) == wanted
    await last_word(desk, project, witness)
    said = [frame["text"] for frame in witness.seen if frame.get("type") == "chat"]
    assert said == ["x"] * (wanted[4] == "ok") + ["end"]


@pytest.mark.parametrize("role", ["owner", "editor", "commenter", "viewer", "stranger"])
async def test_nothing_is_said_in_a_room_that_one_is_not_in(desk, project, role):
    await publish(desk, project)
    witness = await desk.room(project, desk.owner)
    outside = await desk.room(project, getattr(desk, role), joins=False)
    for frame in FRAMES[2:5]:
        assert (await outside.say(**frame))["error"]["code"] == "FORBIDDEN"
    await last_word(desk, project, witness)
    told = [frame.get("type") for frame in witness.seen]
    assert told.count("chat") == 1
    assert {"cursors", "presence", "user-joined"}.isdisjoint(told)


async def test_a_stranger_does_not_enter_the_room_of_a_private_project(desk, project):
    ticket = desk.auth.ticket(desk.stranger)
    guest = desk.guest(await desk.connect(f"/projects/{project}?ticket={ticket}"))
    assert await guest.closed() == 4404


async def test_nobody_in_particular_enters_the_room_of_a_public_project(desk, project):
    await publish(desk, project)
    guest = desk.guest(await desk.connect(f"/projects/{project}"))
    await guest.socket.send('{"type": "join-project"}')
    assert await guest.closed() == 4401


@pytest.mark.parametrize(
    ("role", "on_private", "on_public"),
    [
        ("owner", 200, 200),
        ("editor", 200, 200),
        ("commenter", 200, 200),
        ("viewer", 200, 200),
        ("stranger", 404, 200),
        (None, 401, 401),
    ],
)
async def test_who_sees_who_is_there(desk, project, role, on_private, on_public):
    user = None if role is None else getattr(desk, role)
    path = f"/projects/{project}/presence"
    assert (await desk.ask("GET", path, user)).status_code == on_private
    await publish(desk, project)
    assert (await desk.ask("GET", path, user)).status_code == on_public


async def enter(desk, project, user):
    """Knock at a room."""
    ticket = desk.auth.ticket(user)
    return desk.guest(await desk.connect(f"/projects/{project}?ticket={ticket}"))


async def test_a_user_has_so_many_tabs_in_a_room(desk, project):
    tabs = [await desk.room(project, desk.editor) for _ in range(3)]
    refused = await enter(desk, project, desk.editor)
    assert await refused.closed() == 4429
    assert refused.socket.close_reason == "retry-after=1"
    other = await desk.project()
    assert await desk.room(other, desk.owner)
    # documents are not tabs
    await desk.write(project, "a.txt", "text")
    assert str((await desk.open(project, "a.txt", desk.editor)).text) == "text"
    await tabs[0].socket.close()

    async def is_let_in():
        guest = await enter(desk, project, desk.editor)
        return "welcome" in await first_words(guest)

    await until(is_let_in)


async def first_words(guest):
    """What a socket begins with; nothing where it is closed."""
    try:
        return str(await guest.socket.recv())
    except ConnectionClosed:
        return ""


async def test_a_room_has_so_many_sockets(desk, project):
    users = [desk.owner, desk.editor, desk.viewer, desk.commenter, desk.owner]
    for user in users:
        await desk.room(project, user)
    assert await (await enter(desk, project, desk.editor)).closed() == 1013


async def test_who_vanishes_without_a_word_has_left(desk, project):
    stays = await desk.room(project, desk.owner)
    ghost = await desk.room(project, desk.editor)
    await stays.frame(type="user-joined")
    # the machine is gone: nothing comes from there, not even an end
    ghost.socket.transport.pause_reading()
    gone = await stays.frame(within_s=20, type="user-left")
    assert gone["userId"] == str(desk.editor)
    ghost.socket.transport.abort()


async def test_whose_connection_breaks_off_has_left(desk, project):
    stays = await desk.room(project, desk.owner)
    broken = await desk.room(project, desk.editor)
    broken.socket.transport.abort()
    assert (await stays.frame(type="user-left"))["userId"] == str(desk.editor)
