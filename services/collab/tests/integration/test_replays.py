"""What a room's guests missed is told once and in order, also by a process that just began."""

import asyncio

import pytest

from common.testing.waiting import until

FORGETFUL = {"REPLAY_FRAMES_MAX": "2", "REPLAY_EVENTS_MAX": "500", "DRAIN_SPREAD_S": "0"}


@pytest.fixture(scope="module")
async def seat(desk_on, stores, service_env):
    """A seat at a process that remembers next to nothing."""
    async with desk_on(service_env, stores, **FORGETFUL) as made:
        yield made


async def back(desk, project, user, last_seq):
    """Come back to a room; the answer comes behind what was missed."""
    guest = await desk.room(project, user, joins=False)
    assert (await guest.say(type="join-project", lastSeq=last_seq))["ok"]
    return guest


def paths(guest):
    """The files that somebody heard of, in order."""
    return [frame["path"] for frame in guest.seen if frame.get("type") == "file-created"]


def kinds(guest):
    """Everything that somebody heard that has a place in the stream."""
    return [frame["type"] for frame in guest.seen if "seq" in frame]


async def seen_seq(desk, project):
    """A place in the stream that somebody has heard up to."""
    guest = await desk.room(project, desk.viewer)
    await desk.write(project, "start.txt", "")
    seq = (await guest.frame(type="file-created", path="start.txt"))["seq"]
    await guest.socket.close()
    return seq


async def test_what_was_missed_during_a_restart_is_told_afterwards(desk):
    project, other = await desk.project(), await desk.project()
    last = await seen_seq(desk, project)
    witness = await desk.room(project, desk.owner)
    assert (await witness.say(type="chat", text="hi"))["ok"]
    await witness.heard(type="chat")
    await desk.collab.end()
    for name in ("a.txt", "b.txt"):
        await desk.write(project, name, name)
        await desk.write(other, name, name)
    await desk.rest("DELETE", f"/projects/{project}/files/a.txt")
    # roles are not told as such: each hears of their own
    path = f"/projects/{project}/collaborators/{desk.editor}"
    await desk.rest("PATCH", path, json={"role": "commenter"})
    await desk.collab.start()
    guest = await back(desk, project, desk.viewer, last)
    wanted = ["chat", "file-created", "file-created", "file-deleted", "member-changed"]
    # the bus may be slower than the restart
    while len(kinds(guest)) < len(wanted):
        await guest.frame()
    assert kinds(guest) == wanted
    assert paths(guest) == ["a.txt", "b.txt"]
    seqs = [frame["seq"] for frame in guest.seen if "seq" in frame]
    assert seqs == sorted(set(seqs))
    await desk.write(project, "c.txt", "")
    await guest.frame(type="file-created", path="c.txt")
    assert kinds(guest) == [*wanted, "file-created"]


async def test_what_happens_during_the_replay_is_told_behind_it_and_once(desk):
    project = await desk.project()
    last = await seen_seq(desk, project)
    names = [f"{number}.txt" for number in range(80)]
    guests = []

    async def write():
        for name in names:
            await desk.write(project, name, name)

    async def come(after):
        await asyncio.sleep(after)
        guests.append(await back(desk, project, desk.viewer, last))

    await asyncio.gather(write(), *[come(number * 0.05) for number in range(12)])
    for guest in guests:
        while paths(guest)[-1:] != names[-1:]:
            await guest.frame()
        assert paths(guest) == names


async def test_who_comes_back_by_another_place_hears_from_there(desk):
    project = await desk.project()
    last = await seen_seq(desk, project)
    witness = await desk.room(project, desk.owner)
    seqs = []
    for number in range(6):
        await desk.write(project, f"{number}.txt", "")
        seqs.append((await witness.frame(type="file-created", path=f"{number}.txt"))["seq"])
    for place, seq in enumerate([last, *seqs]):
        guest = await back(desk, project, desk.viewer, seq)
        assert paths(guest) == [f"{number}.txt" for number in range(place, 6)]
        await guest.socket.close()


async def test_who_leaves_and_comes_again_meanwhile_is_told_once(desk):
    project = await desk.project()
    last = await seen_seq(desk, project)
    witness = await desk.room(project, desk.owner)
    for number in range(6):
        await desk.write(project, f"{number}.txt", "")
    await witness.frame(type="file-created", path="5.txt")
    guest = await desk.room(project, desk.viewer, joins=False)
    for number in range(40):
        join = f'{{"type": "join-project", "lastSeq": {last}, "id": "j{number}"}}'
        await guest.socket.send(join)
        await guest.socket.send(f'{{"type": "leave-project", "id": "l{number}"}}')
    await guest.say(type="ping")
    answers = [frame["id"] for frame in guest.seen if "ok" in frame]
    assert answers[:-1] == [f"{kind}{number}" for number in range(40) for kind in "jl"]
    guest.seen.clear()
    assert (await guest.say(type="join-project", lastSeq=last))["ok"]
    assert paths(guest) == [f"{number}.txt" for number in range(6)]


async def test_who_missed_too_much_reads_the_project_again(desk):
    project = await desk.project()
    last = await seen_seq(desk, project)
    witness = await desk.room(project, desk.owner)
    for part in range(6):
        made = [
            {"op": "create", "path": f"{part}/{number}.txt", "content": ""} for number in range(90)
        ]
        await desk.rest("POST", f"/projects/{project}/files/batch", json={"operations": made})
    await witness.frame(within_s=20, type="file-created", path="5/89.txt")
    guest = await back(desk, project, desk.viewer, last)
    assert "resync" in [frame.get("type") for frame in guest.seen]
    assert paths(guest) == []
    await desk.write(project, "next.txt", "")
    await guest.frame(type="file-created", path="next.txt")


async def test_a_place_that_never_was_is_none(desk):
    project = await desk.project()
    await seen_seq(desk, project)
    for seq in (10**9, -1):
        guest = await back(desk, project, desk.viewer, seq)
        assert "resync" in [frame.get("type") for frame in guest.seen]


async def test_comments_follow_what_was_written_while_nobody_was_there(desk):
    project = await desk.project()
    await desk.write(project, "a.txt", "one\ntwo\n")
    body = {"text": "why?", "anchor": {"path": "a.txt", "line": 2}}
    path = f"/projects/{project}/comments"
    made = (await desk.ask("POST", path, desk.owner, json=body)).json()["data"]
    await desk.collab.end()
    await desk.write(project, "a.txt", "zero\none\ntwo\n")
    await desk.collab.start()

    async def line():
        shown = await desk.ask("GET", f"/comments/{made['id']}", desk.viewer)
        return shown.json()["data"]["position"]["line"] == 3

    await until(line)
