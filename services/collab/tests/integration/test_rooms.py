"""Rooms as their guests see them."""

import asyncio

import httpx
import pytest

from common.ids import uuid7


async def test_a_user_comes_and_goes_once_however_many_tabs(desk):
    project = await desk.project()
    owner = await desk.room(project, desk.owner)
    first = await desk.room(project, desk.editor)
    assert (await owner.frame(type="user-joined"))["user"]["userId"] == str(desk.editor)
    second = await desk.room(project, desk.editor)
    here = next(frame for frame in second.seen if frame["type"] == "active-users")["users"]
    assert {user["userId"]: len(user["sessions"]) for user in here} == {
        str(desk.owner): 1,
        str(desk.editor): 2,
    }
    await first.socket.close()
    await owner.say(type="ping")
    assert (await second.say(type="leave-project"))["ok"]
    assert (await owner.frame(type="user-left"))["userId"] == str(desk.editor)
    kinds = [frame.get("type") for frame in owner.seen]
    assert kinds.count("user-joined") == 1
    assert kinds.count("user-left") == 1


async def test_presence_reaches_the_others(desk):
    project = await desk.project()
    owner, editor = await desk.room(project, desk.owner), await desk.room(project, desk.editor)
    assert (await editor.say(type="presence.update", state={"file": "a.txt"}))["ok"]
    heard = await owner.frame(type="presence", userId=str(desk.editor))
    assert heard["state"] == {"file": "a.txt"}
    viewer = await desk.room(project, desk.viewer)
    here = next(frame for frame in viewer.seen if frame["type"] == "active-users")["users"]
    assert {"file": "a.txt"} in [user["state"] for user in here]


async def test_cursors_come_together_and_the_latest_counts(desk):
    project = await desk.project()
    owner, editor = await desk.room(project, desk.owner), await desk.room(project, desk.editor)
    loop = asyncio.get_running_loop()
    began = loop.time()
    for number in range(200):
        await editor.socket.send(
            '{"type": "cursor", "path": "a.txt", "selection": ' + str(number) + "}"
        )
        await asyncio.sleep(0.002)
    places: list[int] = []
    while not places or places[-1] != 199:
        frame = await owner.frame(type="cursors")
        places += [cursor["selection"] for cursor in frame["cursors"]]
    # twenty a second: a slow machine has more time for fewer frames, and never less for more
    assert len(places) <= 2 + (loop.time() - began) * 20
    assert places == sorted(places)
    kinds = {frame.get("type") for frame in owner.seen[owner.seen.index(frame) :]}
    assert kinds.isdisjoint({"user-joined", "user-left"})


async def test_states_come_as_seldom_as_cursors_and_the_latest_counts(desk):
    project = await desk.project()
    owner, editor = await desk.room(project, desk.owner), await desk.room(project, desk.editor)
    loop = asyncio.get_running_loop()
    began = loop.time()
    for number in range(200):
        frame = f'{{"type": "presence.update", "state": {{"number": {number}}}}}'
        await editor.socket.send(frame)
        await asyncio.sleep(0.002)
    numbers: list[int] = []
    while not numbers or numbers[-1] != 199:
        numbers.append((await owner.frame(type="presence"))["state"]["number"])
    assert len(numbers) <= 2 + (loop.time() - began) * 20
    assert numbers == sorted(numbers)
    # nobody is told what they told of themselves
    await editor.say(type="ping")
    assert "presence" not in {frame.get("type") for frame in editor.seen}


async def test_a_tab_that_goes_takes_its_cursor_along(desk):
    project = await desk.project()
    owner = await desk.room(project, desk.owner)
    first, second = [await desk.room(project, desk.editor) for _ in range(2)]
    assert (await first.say(type="presence.update", state={"tab": 1}))["ok"]
    assert (await second.say(type="presence.update", state={"tab": 2}))["ok"]
    told = await owner.frame(type="presence", state={"tab": 1})
    await first.say(type="cursor", path="a.txt", selection=1)
    await owner.frame(type="cursors")
    await first.socket.close()
    gone = await owner.frame(type="presence", state=None)
    assert (gone["userId"], gone["sessionId"]) == (str(desk.editor), told["sessionId"])
    late = await desk.room(project, desk.viewer)
    here = next(frame for frame in late.seen if frame["type"] == "active-users")["users"]
    states = {user["userId"]: user["state"] for user in here}
    assert states[str(desk.editor)] == {"tab": 2}


async def test_nobody_comes_or_goes_by_telling_where_they_are(desk):
    project = await desk.project()
    owner, editor = await desk.room(project, desk.owner), await desk.room(project, desk.editor)
    await owner.frame(type="user-joined")
    owner.seen.clear()
    for number in range(20):
        await editor.say(type="cursor", path="a.txt", selection=number)
        await editor.say(type="presence.update", state={"number": number})
    await owner.frame(type="presence", state={"number": 19})
    kinds = {frame["type"] for frame in owner.seen}
    assert kinds >= {"cursors", "presence"}
    # who became a member before that may still be news
    assert kinds.isdisjoint({"user-joined", "user-left", "active-users"})


async def test_files_changed_over_http_are_news_in_the_room(desk):
    project = await desk.project()
    viewer = await desk.room(project, desk.viewer)
    await desk.write(project, "a.txt", "one")
    made = await viewer.frame(type="file-created", path="a.txt")
    await desk.write(project, "a.txt", "two")
    changed = await viewer.frame(type="file-updated", path="a.txt")
    await desk.rest("DELETE", f"/projects/{project}/files/a.txt")
    gone = await viewer.frame(type="file-deleted", path="a.txt")
    assert made["actor"] == str(desk.owner)
    assert changed["version"] > made["version"]
    assert changed["etag"] == f'"{changed["hash"]}"'
    assert changed["event"] == "projects.file.updated.v1"
    assert made["seq"] < changed["seq"] < gone["seq"]


async def test_from_where_somebody_acts_is_not_told_in_the_room(desk):
    project = await desk.project()
    viewer = await desk.room(project, desk.viewer)
    path = f"/projects/{project}/collaborators/{desk.editor}"
    sent = {"x-envoy-external-address": "198.51.100.7"}
    await desk.rest("PATCH", path, json={"role": "commenter"}, headers=sent)
    changed = await viewer.frame(type="member-changed")
    assert (changed["previousRole"], changed["role"]) == ("editor", "commenter")
    assert changed["actor"] == str(desk.owner)
    assert "address" not in changed


async def test_what_was_missed_is_told_again(desk):
    project = await desk.project()
    viewer = await desk.room(project, desk.viewer)
    await desk.write(project, "a.txt", "one")
    last = (await viewer.frame(type="file-created"))["seq"]
    await viewer.socket.close()
    await desk.write(project, "b.txt", "two")
    other = await desk.room(project, desk.owner)
    await desk.write(project, "c.txt", "three")
    await other.frame(type="file-created", path="c.txt")
    again = await desk.room(project, desk.viewer, joins=False)
    assert (await again.say(type="join-project", lastSeq=last))["ok"]
    told = [frame["path"] for frame in again.seen if frame.get("type") == "file-created"]
    assert told == ["b.txt", "c.txt"]
    stale = await desk.room(project, desk.viewer, joins=False)
    await stale.say(type="join-project", lastSeq=10**9)
    assert "resync" in [frame.get("type") for frame in stale.seen]


async def test_news_of_one_project_stay_there(desk):
    project, other = await desk.project(), await desk.project()
    guest = await desk.room(other, desk.owner)
    await desk.write(project, "a.txt", "one")
    await desk.write(other, "b.txt", "two")
    await guest.frame(type="file-created", path="b.txt")
    assert "a.txt" not in [frame.get("path") for frame in guest.seen]


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ({"type": "cursor", "path": "a"}, "FORBIDDEN"),
        ({"type": "presence.update", "state": {}}, "FORBIDDEN"),
        ({"type": "file-change", "path": "a"}, "VALIDATION_ERROR"),
        ({"type": "ping", "more": 1}, "VALIDATION_ERROR"),
        ({"type": "join-project", "lastSeq": "x"}, "VALIDATION_ERROR"),
    ],
)
async def test_what_may_not_be_said_is_refused(desk, frame, code):
    project = await desk.project()
    guest = await desk.room(project, desk.viewer, joins=False)
    assert (await guest.say(**frame))["error"]["code"] == code
    assert (await guest.say(type="ping"))["ok"]


async def test_a_state_has_a_size(desk):
    project = await desk.project()
    guest = await desk.room(project, desk.owner)
    answer = await guest.say(type="presence.update", state={"x": "x" * 5_000})
    assert answer["error"]["code"] == "VALIDATION_ERROR"


@pytest.mark.parametrize(
    ("path", "selection"),
    [("ä" * 1_050, None), ("a.txt", "x" * 2_050), ("a" * 1_000, ["ä" * 10] * 60)],
)
async def test_a_place_has_a_size(desk, path, selection):
    project = await desk.project()
    owner, editor = await desk.room(project, desk.owner), await desk.room(project, desk.editor)
    answer = await editor.say(type="cursor", path=path, selection=selection)
    assert answer["error"]["code"] == "VALIDATION_ERROR"
    assert (await editor.say(type="cursor", path="a" * 1_000, selection="b" * 1_000))["ok"]
    (told,) = (await owner.frame(type="cursors"))["cursors"]
    assert (told["path"], told["selection"]) == ("a" * 1_000, "b" * 1_000)


@pytest.mark.parametrize("junk", [b"\x00", "[]", "{", '{"id": 1}', "null"])
async def test_what_is_no_frame_closes_the_socket(desk, junk):
    project = await desk.project()
    guest = await desk.room(project, desk.owner)
    await guest.socket.send(junk)
    assert await guest.closed() == 4400


async def test_presence_over_http(desk):
    project = await desk.project()
    await desk.room(project, desk.editor)
    path = f"{desk.collab.url}/api/v1/projects/{project}/presence"
    async with httpx.AsyncClient() as client:
        seen = await client.get(path, headers=desk.headers(desk.viewer))
        assert [user["userId"] for user in seen.json()["data"]["users"]] == [str(desk.editor)]
        assert (await client.get(path, headers=desk.headers(uuid7()))).status_code == 404
        secret = {"x-fleet-secret": desk.projects.env["FLEET_SECRET"]}
        assert (await client.get(path, headers=secret)).status_code == 401
