"""Who is let in, who is not, and who is sent away."""

import asyncio
import time
from base64 import urlsafe_b64encode

import pytest
from joserfc.jwk import ECKey
from websockets.exceptions import InvalidStatus

from common.ids import uuid7


async def closed(socket):
    """The code that a socket is closed with."""
    async with asyncio.timeout(5):
        await socket.wait_closed()
    return socket.close_code


async def status(desk, path, **more):
    """The status that refuses a socket."""
    with pytest.raises(InvalidStatus) as refused:
        await desk.connect(path, **more)
    return refused.value.response.status_code


async def test_nobody_comes_past_the_gateway(desk):
    project = await desk.project()
    path = f"/projects/{project}?ticket={desk.auth.ticket(desk.owner)}"
    assert await status(desk, path, headers={}) == 401
    assert await status(desk, path, headers={"x-fleet-secret": "guess"}) == 401


async def test_a_foreign_origin_is_refused_and_none_is_fine(desk):
    project = await desk.project()
    path = f"/projects/{project}?access_token={desk.auth.token(desk.owner)}"
    assert await status(desk, path, origin="http://evil.test") == 403
    await desk.connect(path, origin=desk.origin)
    await desk.connect(path)


@pytest.mark.parametrize(
    "path", ["/projects/none", "/documents", "/documents/x/y", "/projects/{id}/a/b", "/elsewhere"]
)
async def test_other_paths_are_no_sockets(desk, path):
    assert await status(desk, path.replace("{id}", str(uuid7()))) == 404


@pytest.mark.parametrize("name", ["../a", "a//b", "a/./b", "%2e%2e/a", "a%00b", "%ff"])
async def test_paths_that_no_file_has_are_no_sockets(desk, name):
    assert await status(desk, f"/documents/{uuid7()}/{name}") == 404


async def test_a_ticket_is_good_once(desk):
    project = await desk.project()
    path = f"/projects/{project}?ticket={desk.auth.ticket(desk.owner)}"
    await desk.connect(path)
    assert await closed(await desk.connect(path)) == 4401


async def test_a_token_may_come_first(desk):
    project = await desk.project()
    await desk.write(project, "a.txt", "")
    for path in (f"/projects/{project}", f"/documents/{project}/a.txt"):
        socket = await desk.connect(path)
        await socket.send('{"type": "auth", "accessToken": "' + desk.auth.token(desk.owner) + '"}')
        assert await asyncio.wait_for(socket.recv(), 5)


@pytest.mark.parametrize("first", [b"\x00\x00\x01\x00", "{}", "x", '{"type": "ping"}'])
async def test_anything_else_may_not_come_first(desk, first):
    project = await desk.project()
    socket = await desk.connect(f"/projects/{project}")
    await socket.send(first)
    assert await closed(socket) == 4401


async def test_who_is_not_known_yet_says_nothing_long(desk):
    project = await desk.project()
    await desk.write(project, "a.txt", "")
    socket = await desk.connect(f"/documents/{project}/a.txt")
    await socket.send(b"x" * 70_000)
    assert await closed(socket) == 1009


async def test_a_document_takes_long_messages_once_the_sender_is_known(desk):
    project = await desk.project()
    await desk.write(project, "a.txt", "")
    socket = await desk.connect(f"/documents/{project}/a.txt")
    await socket.send('{"type": "auth", "accessToken": "' + desk.auth.token(desk.owner) + '"}')
    assert await asyncio.wait_for(socket.recv(), 5)
    await socket.send(b"\x7f" + b"x" * 70_000)
    await socket.send(b"\x00\x00\x01\x00")
    assert await asyncio.wait_for(socket.recv(), 5)


async def test_a_ticket_that_is_none_is_not_asked_for(desk):
    project = await desk.project()
    socket = await desk.connect(f"/projects/{project}?ticket={'x' * 5000}")
    assert await closed(socket) == 4401


def bad_tokens(auth, user):
    """Tokens of every kind that must not be good."""
    good = auth.token(user)
    head, body, seal = good.split(".")
    none = urlsafe_b64encode(b'{"alg":"none","typ":"at+jwt","kid":"one"}').decode().rstrip("=")
    other = ECKey.generate_key("P-256", {"kid": "one"}, auto_kid=False)
    stranger = ECKey.generate_key("P-256", {"kid": "two"}, auto_kid=False)
    past = int(time.time()) - 5
    return {
        "expired": auth.token(user, exp=past),
        "not ours": auth.token(user, iss="somebody"),
        "not for us": auth.token(user, aud="somebody"),
        "no subject": auth.token("nobody"),
        "another kind": auth.token(user, typ="refresh"),
        "another key": auth.token(user, key=other),
        "an unknown key": auth.token(user, key=stranger),
        "no algorithm": f"{none}.{body}.",
        "no seal": f"{head}.{body}.",
        "another seal": f"{head}.{body}.{seal[::-1]}",
        "no token": "junk",
    }


async def test_bad_tokens_are_refused(desk):
    project = await desk.project()
    for what, token in bad_tokens(desk.auth, desk.owner).items():
        socket = await desk.connect(f"/projects/{project}?access_token={token}")
        assert await closed(socket) == 4401, what


async def test_forged_key_ids_do_not_flood_auth(desk):
    project = await desk.project()
    before = desk.auth.fetches
    for _ in range(10):
        key = ECKey.generate_key("P-256", {"kid": str(uuid7())}, auto_kid=False)
        token = desk.auth.token(desk.owner, key=key)
        await closed(await desk.connect(f"/projects/{project}?access_token={token}"))
    assert desk.auth.fetches - before <= 2


async def test_a_session_ends_with_its_token_unless_it_is_refreshed(desk):
    project = await desk.project()
    soon = int(time.time()) + 2
    token = desk.auth.token(desk.owner, exp=soon)
    ends = await desk.connect(f"/projects/{project}?access_token={token}")
    stays = desk.guest(await desk.connect(f"/projects/{project}?access_token={token}"))
    fresh = desk.auth.token(desk.owner)
    assert (await stays.say(type="auth.refresh", accessToken=fresh))["ok"]
    assert await closed(ends) == 4401
    assert (await stays.say(type="ping"))["ok"]


async def test_a_session_that_is_over_opens_no_socket(desk):
    project = await desk.project()
    session = str(uuid7())
    desk.auth.over.add(session)
    token = desk.auth.token(desk.owner, sid=session)
    assert await closed(await desk.connect(f"/projects/{project}?access_token={token}")) == 4401
    late = await desk.connect(f"/projects/{project}")
    await late.send('{"type": "auth", "accessToken": "' + token + '"}')
    assert await closed(late) == 4401
    guest = await desk.room(project, desk.owner)
    answer = await guest.say(type="auth.refresh", accessToken=token)
    assert answer["error"]["code"] == "UNAUTHENTICATED"
    assert await guest.closed() == 4401


async def test_a_token_has_to_do_where_auth_does_not_know_the_question(desk):
    project = await desk.project()
    desk.auth.knows_sessions = False
    try:
        path = f"/projects/{project}?access_token={desk.auth.token(desk.owner)}"
        guest = desk.guest(await desk.connect(path))
        assert (await guest.frame(type="welcome"))["role"] == "owner"
    finally:
        desk.auth.knows_sessions = True


async def test_a_token_of_somebody_else_is_no_refresh(desk):
    project = await desk.project()
    guest = await desk.room(project, desk.owner)
    answer = await guest.say(type="auth.refresh", accessToken=desk.auth.token(desk.editor))
    assert answer["error"]["code"] == "UNAUTHENTICATED"
    assert await guest.closed() == 4401


async def test_who_may_not_know_of_a_project_finds_none(desk):
    project = await desk.project()
    for somewhere in (project, uuid7()):
        ticket = desk.auth.ticket(desk.stranger)
        socket = await desk.connect(f"/projects/{somewhere}?ticket={ticket}")
        assert await closed(socket) == 4404


async def test_who_is_removed_is_out(desk):
    project = await desk.project()
    await desk.write(project, "a.txt", "")
    room = await desk.room(project, desk.editor)
    document = await desk.open(project, "a.txt", desk.editor)
    other = await desk.room(project, desk.viewer)
    await desk.rest("DELETE", f"/projects/{project}/collaborators/{desk.editor}")
    assert await room.closed() == 4403
    assert await document.closed() == 4403
    assert (await other.say(type="ping"))["ok"]
    ticket = desk.auth.ticket(desk.editor)
    assert await closed(await desk.connect(f"/projects/{project}?ticket={ticket}")) == 4404


async def test_a_new_role_holds_at_once(desk):
    project = await desk.project()
    await desk.write(project, "a.txt", "")
    room = await desk.room(project, desk.editor)
    editor = await desk.open(project, "a.txt", desk.editor)
    path = f"/projects/{project}/collaborators/{desk.editor}"
    await desk.rest("PATCH", path, json={"role": "viewer"})
    assert (await room.frame(type="permissions-changed"))["role"] == "viewer"
    await editor.type(0, "no")
    await editor.until(lambda: editor.denied)
    await desk.rest("PATCH", path, json={"role": "editor"})
    assert (await room.frame(type="permissions-changed"))["role"] == "editor"
    owner = await desk.open(project, "a.txt", desk.owner)
    await editor.type(2, " yes")
    await owner.until_text("no yes")


async def test_a_deleted_project_has_no_sockets(desk):
    project = await desk.project()
    room = await desk.room(project, desk.owner)
    await desk.rest("DELETE", f"/projects/{project}")
    assert await room.closed() == 4404
