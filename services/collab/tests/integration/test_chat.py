"""What members of a project say to one another, over HTTP and in the room."""

import asyncio

import pytest

from common.ids import uuid7
from common.testing.waiting import until

ROLES = ("owner", "editor", "commenter", "viewer")


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


async def post(desk, project, user, text, **more):
    """Say something over HTTP."""
    body = {"text": text, **more}
    answer = await desk.ask("POST", f"/projects/{project}/chat", user, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]


async def feed(desk, project, user, **params):
    """What is to be read."""
    answer = await desk.ask("GET", f"/projects/{project}/chat", user, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def unread(desk, project, user):
    """How much of it somebody has not read, and how much of that names them."""
    answer = await desk.ask("GET", f"/projects/{project}/chat/unread", user)
    found = answer.json()["data"]
    return found["unread"], found["mentions"]


async def test_what_is_said_is_read_the_newest_first(desk, project):
    said = [await post(desk, project, desk.owner, f"word {number}") for number in range(5)]
    first = await feed(desk, project, desk.viewer, limit=3)
    cursor = first["meta"]["nextCursor"]
    rest = await feed(desk, project, desk.viewer, limit=3, cursor=cursor)
    assert first["data"] + rest["data"] == said[::-1]
    assert rest["meta"]["nextCursor"] is None
    assert [message["number"] for message in said] == [1, 2, 3, 4, 5]
    other = await desk.project()
    path = f"/projects/{other}/chat"
    wrong = await desk.ask("GET", path, desk.owner, params={"cursor": cursor})
    assert wrong.json()["error"]["code"] == "CURSOR_INVALID"


async def test_the_room_hears_what_is_said_wherever_it_is_said(desk, project):
    viewer = await desk.room(project, desk.viewer)
    commenter = await desk.room(project, desk.commenter)
    by_http = await post(desk, project, desk.owner, "over HTTP", mentions=[str(desk.viewer)])
    heard = await viewer.frame(type="chat")
    assert heard == await commenter.frame(type="chat")
    assert heard["event"] == "collab.chat.posted.v1"
    assert heard["messageId"] == by_http["id"]
    assert heard["number"] == by_http["number"]
    assert heard["text"] == "over HTTP"
    assert heard["actor"] == heard["actorId"] == str(desk.owner)
    assert heard["mentions"] == [str(desk.viewer)]
    assert (await commenter.say(type="chat", text="on a socket"))["ok"]
    heard = await viewer.frame(type="chat")
    assert heard["text"] == "on a socket"
    assert heard == await commenter.heard(type="chat", text="on a socket")
    stored = (await feed(desk, project, desk.viewer))["data"][0]
    assert (stored["id"], stored["text"]) == (heard["messageId"], "on a socket")


async def test_what_is_answered_is_stored(desk, project):
    guest = await desk.room(project, desk.editor)
    for number in range(10):
        await guest.say(type="chat", text=str(number))
    stored = (await feed(desk, project, desk.owner))["data"]
    assert [message["text"] for message in stored] == [str(n) for n in range(9, -1, -1)]


async def test_what_is_repeated_after_a_lost_answer_is_said_once(desk, project):
    guest = await desk.room(project, desk.editor)
    name = str(uuid7())
    frames = [guest.say(type="chat", text="once", clientId=name)]
    assert [(await frame)["ok"] for frame in frames] == [True]
    again = await desk.room(project, desk.editor)
    assert (await again.say(type="chat", text="once", clientId=name))["ok"]
    await post(desk, project, desk.editor, "once", clientId=name)
    # somebody else's name is another one
    await post(desk, project, desk.owner, "twice", clientId=name)
    heard = await guest.frame(type="chat", text="twice")
    assert heard["clientId"] == name
    assert [f["text"] for f in guest.seen if f.get("type") == "chat"] == ["once", "twice"]
    assert len((await feed(desk, project, desk.owner))["data"]) == 2


async def test_the_same_name_at_the_same_time_is_said_once(desk, project):
    name = str(uuid7())
    posts = [post(desk, project, desk.owner, "once", clientId=name) for _ in range(8)]
    made = await asyncio.gather(*posts)
    assert len({message["id"] for message in made}) == 1
    last = await post(desk, project, desk.owner, "more")
    assert last["number"] == 2


async def test_a_key_makes_one_message(desk, project):
    path, headers = f"/projects/{project}/chat", {"idempotency-key": str(uuid7())}
    asked = {"json": {"text": "once"}, "headers": headers}
    answers = [await desk.ask("POST", path, desk.owner, **asked) for _ in range(2)]
    assert answers[0].json()["data"] == answers[1].json()["data"]
    assert len((await feed(desk, project, desk.owner))["data"]) == 1


async def test_everybody_has_their_own_unread_messages(desk, project):
    assert await unread(desk, project, desk.viewer) == (0, 0)
    first = await post(desk, project, desk.owner, "one", mentions=[str(desk.viewer)])
    await post(desk, project, desk.owner, "two", mentions=[str(desk.viewer), str(desk.editor)])
    assert await unread(desk, project, desk.viewer) == (2, 2)
    assert await unread(desk, project, desk.editor) == (2, 1)
    assert await unread(desk, project, desk.owner) == (0, 0)
    path = f"/projects/{project}/chat/read"
    body = {"messageId": first["id"]}
    left = (await desk.ask("PUT", path, desk.viewer, json=body)).json()["data"]
    assert left == {"unread": 1, "mentions": 1, "readNumber": 1, "lastNumber": 2}
    # who says something has read what was said
    await post(desk, project, desk.editor, "three")
    assert await unread(desk, project, desk.editor) == (0, 0)
    assert await unread(desk, project, desk.viewer) == (2, 1)
    last = (await feed(desk, project, desk.viewer))["data"][0]
    await desk.ask("PUT", path, desk.viewer, json={"messageId": last["id"]})
    # what was read stays read
    await desk.ask("PUT", path, desk.viewer, json=body)
    assert await unread(desk, project, desk.viewer) == (0, 0)
    lost = await desk.ask("PUT", path, desk.viewer, json={"messageId": str(uuid7())})
    assert lost.status_code == 404


async def test_only_members_are_mentioned(desk, project):
    path = f"/projects/{project}/chat"
    body = {"text": "you", "mentions": [str(desk.stranger)]}
    refused = await desk.ask("POST", path, desk.owner, json=body)
    assert refused.status_code == 400
    assert refused.json()["error"]["details"][0]["field"] == "mentions"
    guest = await desk.room(project, desk.owner)
    answer = await guest.say(type="chat", **body)
    assert answer["error"]["code"] == "VALIDATION_ERROR"
    twice = await post(desk, project, desk.owner, "you", mentions=[str(desk.viewer)] * 2)
    assert twice["mentions"] == [str(desk.viewer)]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"text": ""},
        {"text": " \n"},
        {"text": "a\0"},
        {"text": "x" * 4_001},
        {"text": "x", "mentions": [str(uuid7()) for _ in range(51)]},
        {"text": "x", "more": 1},
        {"text": "x", "clientId": "me"},
    ],
)
async def test_what_is_no_message_is_refused(desk, project, body):
    refused = await desk.ask("POST", f"/projects/{project}/chat", desk.owner, json=body)
    assert refused.status_code == 400
    guest = await desk.room(project, desk.owner)
    assert (await guest.say(type="chat", **body))["error"]["code"] == "VALIDATION_ERROR"


async def test_who_says_too_much_at_once_is_told_to_wait(desk, project):
    guest = await desk.room(project, desk.owner)
    tab = await desk.room(project, desk.owner)
    answers = [await one.say(type="chat", text="x") for one in (guest, tab) for _ in range(40)]
    codes = [answer["error"]["code"] for answer in answers if "error" in answer]
    assert codes
    assert set(codes) == {"RATE_LIMITED"}
    other = await desk.room(project, desk.editor)
    assert (await other.say(type="chat", text="x"))["ok"]


async def test_who_may_say_and_read_what(desk, project):
    path = f"/projects/{project}/chat"
    people = {role: getattr(desk, role) for role in ROLES} | {"stranger": desk.stranger}
    said = await post(desk, project, desk.owner, "hello")
    mark = {"messageId": said["id"]}

    async def statuses(user):
        asked = [
            desk.ask("GET", path, user),
            desk.ask("POST", path, user, json={"text": "x"}),
            desk.ask("GET", f"{path}/unread", user),
            desk.ask("PUT", f"{path}/read", user, json=mark),
        ]
        return [(await one).status_code for one in asked]

    talker = [200, 201, 200, 200]
    wanted = {
        "owner": talker,
        "editor": talker,
        "commenter": talker,
        "viewer": [200, 403, 200, 200],
        "stranger": [404] * 4,
    }
    assert {name: await statuses(user) for name, user in people.items()} == wanted
    await publish(desk, project)
    assert await statuses(desk.stranger) == [403] * 4
    assert await statuses(None) == [401] * 4
    assert await statuses(desk.viewer) == [200, 403, 200, 200]


@pytest.mark.parametrize(
    ("role", "wanted"),
    [
        ("owner", "ok"),
        ("editor", "ok"),
        ("commenter", "ok"),
        ("viewer", "FORBIDDEN"),
        ("stranger", "FORBIDDEN"),
    ],
)
async def test_who_may_say_what_in_the_room(desk, project, role, wanted):
    await publish(desk, project)
    user = getattr(desk, role)
    outside = await desk.room(project, user, joins=False)
    assert (await outside.say(type="chat", text="x"))["error"]["code"] == "FORBIDDEN"
    guest = await desk.room(project, user)
    answer = await guest.say(type="chat", text="x")
    assert wanted == ("ok" if answer.get("ok") else answer["error"]["code"])


async def test_readers_of_a_public_project_do_not_hear_its_members(desk, project):
    await publish(desk, project)
    reader, viewer = await desk.room(project, desk.stranger), await desk.room(project, desk.viewer)
    await desk.write(project, "first.txt", "for all")
    first = await viewer.frame(type="file-created", path="first.txt")
    await post(desk, project, desk.owner, "among us")
    await viewer.frame(type="chat")
    await desk.invite(project, uuid7(), "viewer")
    await viewer.frame(type="member-added")
    await desk.write(project, "last.txt", "for all")
    await reader.frame(type="file-created", path="last.txt")
    kinds = {frame.get("type") for frame in reader.seen}
    assert kinds.isdisjoint({"chat", "member-added"})
    # nor when they come back
    again = await desk.room(project, desk.stranger, joins=False)
    assert (await again.say(type="join-project", lastSeq=first["seq"]))["ok"]
    kinds = {frame.get("type") for frame in again.seen}
    assert "file-created" in kinds
    assert kinds.isdisjoint({"chat", "member-added"})


async def test_who_becomes_a_member_hears_the_others(desk, project):
    await publish(desk, project)
    reader = await desk.room(project, desk.stranger)
    await desk.invite(project, desk.stranger, "commenter")
    assert (await reader.frame(type="permissions-changed"))["role"] == "commenter"
    await post(desk, project, desk.owner, "welcome")
    assert (await reader.frame(type="chat"))["text"] == "welcome"
    assert (await reader.say(type="chat", text="thanks"))["ok"]


async def test_a_key_of_one_project_does_not_open_another(desk, project):
    headers = {"x-auth-scopes": "projects:read", "x-auth-project": str(uuid7())}
    path = f"/projects/{project}/chat"
    assert (await desk.ask("GET", path, desk.owner, headers=headers)).status_code == 404
    headers["x-auth-project"] = str(project)
    assert (await desk.ask("GET", path, desk.owner, headers=headers)).status_code == 200
    asked = {"json": {"text": "x"}, "headers": headers}
    assert (await desk.ask("POST", path, desk.owner, **asked)).status_code == 403


async def test_a_project_in_the_trash_has_no_chat(desk, project):
    await post(desk, project, desk.owner, "hello")
    guest = await desk.room(project, desk.owner)
    await desk.rest("DELETE", f"/projects/{project}")
    assert await guest.closed() == 4404
    path = f"/projects/{project}/chat"
    assert (await desk.ask("GET", path, desk.owner)).status_code == 404
    body = {"text": "x"}
    assert (await desk.ask("POST", path, desk.owner, json=body)).status_code == 404
