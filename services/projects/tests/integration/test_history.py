"""What a project was: its feeds, its past, and bringing it back."""

import asyncio
import base64
from typing import Any

import pytest
from services.projects.tests.desk import Desk

from common.testing.processes import Process


async def feed(desk: Desk, project: str, rest: str = "") -> list[dict[str, Any]]:
    """A project's history, or that of a file, the oldest first, read in stretches of two."""
    told: list[dict[str, Any]] = []
    cursor = ""
    while True:
        answer = await desk.call("GET", f"{project}/history{rest}?limit=2&cursor={cursor}")
        assert answer.status_code == 200, answer.text
        told += answer.json()["data"]
        cursor = answer.json()["meta"]["nextCursor"]
        if cursor is None:
            return told[::-1]


async def test_every_change_is_told_with_who_did_it_and_how(desk: Desk) -> None:
    project = await desk.staffed()
    await desk.put(project, "a", "1")
    await desk.put(project, "a", "2", desk.editor)
    await desk.batch(project, {"op": "move", "path": "a", "to": "b"})
    await desk.call("DELETE", f"{project}/files/b")
    told = await feed(desk, project)
    assert [(t["seq"], t["action"], t["path"]) for t in told] == [
        (1, "created", "a"),
        (2, "updated", "a"),
        (3, "moved", "a"),
        (4, "moved", "b"),
        (5, "deleted", "b"),
    ]
    assert [t["actorId"] for t in told[:2]] == [str(desk.owner), str(desk.editor)]
    assert {t["origin"] for t in told} == {"rest"}
    assert (told[2]["movedTo"], told[3]["movedFrom"]) == ("b", "a")
    assert (told[4]["hash"], told[4]["size"]) == (None, None)
    assert [t["at"] for t in told] == sorted(t["at"] for t in told)


async def test_the_history_of_a_file_goes_with_it(desk: Desk) -> None:
    project = await desk.project()
    await desk.put(project, "src/a", "1")
    await desk.put(project, "src/a", "2")
    await desk.put(project, "other", "x")
    await desk.batch(project, {"op": "move", "path": "src", "to": "lib"})
    await desk.put(project, "lib/a", "3")
    await desk.put(project, "src/a", "another one")
    told = await feed(desk, project, "/files/lib/a")
    assert [(t["path"], t["version"], t["action"]) for t in told] == [
        ("src/a", 1, "created"),
        ("src/a", 2, "updated"),
        ("src/a", 3, "moved"),
        ("lib/a", 3, "moved"),
        ("lib/a", 4, "updated"),
    ]
    # what was made at the old path later is another file; what was there before is told too
    there = await feed(desk, project, "/files/src/a")
    assert [(t["version"], t["action"]) for t in there] == [
        (1, "created"),
        (2, "updated"),
        (3, "moved"),
        (4, "created"),
    ]


async def test_a_file_that_never_was_has_no_history(desk: Desk) -> None:
    project = await desk.project()
    assert (await desk.call("GET", f"{project}/history/files/none")).status_code == 404
    assert (await desk.call("GET", f"{project}/history/files/a%5Cb")).status_code == 400
    assert (await desk.call("GET", f"{project}/history")).json()["data"] == []


async def test_a_cursor_of_another_feed_is_refused(desk: Desk) -> None:
    project, other = await desk.project(), await desk.project()
    for number in range(3):
        await desk.put(project, "a", f"{number}")
    answer = await desk.call("GET", f"{project}/history?limit=1")
    cursor = answer.json()["meta"]["nextCursor"]
    for path in (f"{other}/history", f"{project}/history/files/a"):
        refused = await desk.call("GET", f"{path}?cursor={cursor}")
        assert refused.json()["error"]["code"] == "CURSOR_INVALID"


async def test_the_past_is_read_by_number_and_by_time(desk: Desk) -> None:
    project = await desk.project()
    png = base64.b64encode(b"\x89PNG\r\n\x1a\n\0\0").decode()
    await desk.put(project, "a", "1")
    await desk.call("PUT", f"{project}/files/p.png", sends={"content": png, "encoding": "base64"})
    then = await desk.tree(project)
    times = [t["at"] for t in await feed(desk, project)]
    await desk.put(project, "a", "2")
    await desk.call("DELETE", f"{project}/files/p.png")
    await desk.batch(project, {"op": "move", "path": "a", "to": "b"})
    for at in ("2", times[1], times[1].replace("Z", "%2B00:00")):
        assert await desk.tree(project, f"at={at}") == then
        old = (await desk.call("GET", f"{project}/files/a?at={at}")).json()["data"]
        assert (old["content"], old["version"], old["updatedBy"]) == ("1", 1, str(desk.owner))
        image = await desk.call("GET", f"{project}/files/p.png?at={at}&raw=1")
        assert image.content == b"\x89PNG\r\n\x1a\n\0\0"
        assert (await desk.call("GET", f"{project}/files/b?at={at}")).status_code == 404
    assert await desk.tree(project, "at=0") == {}
    assert await desk.tree(project, "at=1999-01-01T00:00:00Z") == {}
    assert list(await desk.tree(project, "at=2999-01-01T00:00:00Z")) == ["b"]


async def test_what_happened_together_is_seen_together(desk: Desk) -> None:
    project = await desk.project()
    await desk.put(project, "a", "1")
    await desk.batch(
        project,
        {"op": "move", "path": "a", "to": "b"},
        {"op": "create", "path": "c", "content": "2"},
    )
    now = await desk.tree(project)
    await desk.put(project, "d", "3")
    inside = f"/internal/projects/{project.rpartition('/')[2]}/tree"
    for at in (2, 3, 4):
        assert await desk.tree(project, f"at={at}") == now
        pinned = (await desk.client.call("GET", f"{inside}?seq={at}")).json()
        assert ({f["path"] for f in pinned["files"]}, pinned["seq"]) == ({"b", "c"}, 4)
    assert list(await desk.tree(project, "at=1")) == ["a"]
    assert await desk.text(project, "b") == "1"
    assert (await desk.call("GET", f"{project}/files/b?at=2")).status_code == 200


async def test_a_past_tree_has_the_entity_tag_that_it_had(desk: Desk) -> None:
    project = await desk.project()
    await desk.put(project, "a/b", "1")
    now = await desk.call("GET", f"{project}/tree?depth=1")
    await desk.put(project, "a/b", "2")
    tag = now.headers["etag"]
    past = await desk.call("GET", f"{project}/tree?depth=1&at=1")
    assert (past.headers["etag"], past.json()["data"]) == (tag, now.json()["data"])
    known = await desk.call("GET", f"{project}/tree?depth=1&at=1", **{"if-none-match": tag})
    assert known.status_code == 304
    file = await desk.call("GET", f"{project}/files/a/b?at=1")
    tag = file.headers["etag"]
    known = await desk.call("GET", f"{project}/files/a/b?at=1", **{"if-none-match": tag})
    assert known.status_code == 304


@pytest.mark.parametrize(
    "at", ["-1", "2", "yesterday", "2026-01-01", "2026-01-01T00:00:00", "9" * 30, "1e3", "%00", ""]
)
async def test_a_moment_that_is_none_is_refused(desk: Desk, at: str) -> None:
    project = await desk.project()
    await desk.put(project, "a", "1")
    for path in (f"{project}/tree?at={at}", f"{project}/files/a?at={at}"):
        answer = await desk.call("GET", path)
        if at:
            assert answer.status_code == 400, path
            assert answer.json()["error"]["details"][0]["field"] == "at"
        else:
            assert answer.status_code in {200, 400}


async def test_a_version_comes_back_as_a_new_one(desk: Desk) -> None:
    project = await desk.staffed()
    await desk.put(project, "a", "1")
    await desk.put(project, "a", "2")
    await desk.batch(project, {"op": "move", "path": "a", "to": "b"})
    sends = {"path": "b", "version": 1}
    answer = await desk.call("POST", f"{project}/restore-file", desk.editor, sends=sends)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["data"]["version"], await desk.text(project, "b")) == (4, "1")
    assert (await feed(desk, project, "/files/b"))[-1]["origin"] == "restore"
    again = await desk.call("POST", f"{project}/restore-file", sends=sends)
    assert again.json()["data"]["unchanged"] is True
    await desk.call("DELETE", f"{project}/files/b")
    back = await desk.call("POST", f"{project}/restore-file", sends={"path": "b", "version": 4})
    assert (back.status_code, await desk.text(project, "b")) == (200, "1")


async def test_what_cannot_come_back_says_so(desk: Desk) -> None:
    project = await desk.staffed()
    await desk.put(project, "a", "1")
    await desk.call("DELETE", f"{project}/files/a")
    await desk.put(project, "a", "3")
    restore = f"{project}/restore-file"
    for version in (2, 4):
        answer = await desk.call("POST", restore, sends={"path": "a", "version": version})
        assert answer.status_code == 404, version
    first = {"path": "a", "version": 1}
    assert (await desk.call("POST", restore, desk.viewer, sends=first)).status_code == 403
    assert (await desk.call("POST", restore, desk.stranger, sends=first)).status_code == 404
    for bad in ({"path": "../a", "version": 1}, {"path": "a", "version": 0}, {"path": "a"}):
        assert (await desk.call("POST", restore, sends=bad)).status_code == 400
    stale = await desk.call("POST", restore, sends=first, **{"if-match": '"old"'})
    assert (stale.status_code, await desk.text(project, "a")) == (412, "3")


async def checkpoint(desk: Desk, project: str, **sends: Any) -> dict[str, Any]:
    """Name the project as it is."""
    answer = await desk.call("POST", f"{project}/checkpoints", sends={"name": "one", **sends})
    assert answer.status_code == 201, answer.text
    shown = await desk.call("GET", answer.headers["location"])
    made: dict[str, Any] = answer.json()["data"]
    assert shown.json()["data"] == made
    return made


async def test_a_checkpoint_comes_back_and_can_be_undone(desk: Desk) -> None:
    project = await desk.staffed()
    await desk.put(project, "kept", "k")
    await desk.put(project, "changed", "1")
    await desk.put(project, "gone", "g")
    await desk.put(project, "moved", "m")
    made = await checkpoint(desk, project)
    then = await desk.tree(project)
    await desk.put(project, "changed", "2")
    await desk.call("DELETE", f"{project}/files/gone")
    await desk.batch(project, {"op": "move", "path": "moved", "to": "there"})
    await desk.put(project, "new", "n")
    later = await desk.tree(project)
    path = f"{project}/checkpoints/{made['id']}/restore"
    answer = await desk.call("POST", path, desk.editor)
    assert answer.status_code == 200, answer.text
    assert await desk.tree(project) == then
    restored = answer.json()["data"]
    assert restored["before"]["isAutomatic"] is True
    # what came back by a move was moved, so that who has it open goes with it
    [(_, moved)] = [n for n in await desk.news(project, 5) if n[0] == "file.moved.v1"]
    assert (moved["path"], moved["to"], moved["origin"]) == ("there", "moved", "restore")
    undo = f"{project}/checkpoints/{restored['before']['id']}/restore"
    assert (await desk.call("POST", undo)).status_code == 200
    assert await desk.tree(project) == later
    # and nothing of all that can be read no more
    assert await desk.tree(project, f"at={made['seq']}") == then
    names = [c["name"] for c in (await desk.call("GET", f"{project}/checkpoints")).json()["data"]]
    assert names == ["Before Before one", "Before one", "one"]


async def test_a_moment_of_the_past_can_be_named(desk: Desk) -> None:
    project = await desk.project()
    await desk.put(project, "a", "1")
    await desk.put(project, "a", "2")
    made = await checkpoint(desk, project, at="1")
    assert (made["seq"], made["files"]) == (1, 1)
    await desk.call("POST", f"{project}/checkpoints/{made['id']}/restore")
    assert await desk.text(project, "a") == "1"


async def test_who_may_see_checkpoints_may_not_restore_them(desk: Desk) -> None:
    project = await desk.staffed()
    made = await checkpoint(desk, project)
    restore = f"{project}/checkpoints/{made['id']}/restore"
    for user, status in ((desk.viewer, 403), (desk.commenter, 403), (desk.stranger, 404)):
        assert (await desk.call("POST", restore, user)).status_code == status
        sends = {"name": "two"}
        answer = await desk.call("POST", f"{project}/checkpoints", user, sends=sends)
        assert answer.status_code == status
    assert (await desk.call("GET", f"{project}/checkpoints", desk.stranger)).status_code == 404
    other = await desk.project()
    foreign = f"{other}/checkpoints/{made['id']}/restore"
    assert (await desk.call("POST", foreign)).status_code == 404


async def test_a_restore_beside_writers_is_whole(desk: Desk, other: Process) -> None:
    project = await desk.project()
    for number in range(8):
        await desk.put(project, f"f{number}", "then")
    made = await checkpoint(desk, project)
    then = await desk.tree(project)
    for number in range(8):
        await desk.put(project, f"f{number}", "now")
    restore = f"{project}/checkpoints/{made['id']}/restore"

    async def write(number: int) -> None:
        for turn in range(6):
            sends = {"content": f"{number} {turn}"}
            path = f"{project}/files/{'f' if turn % 2 else 'n'}{number}"
            await other.call("PUT", path, desk.owner, sends=sends)

    async with asyncio.TaskGroup() as group:
        asked = group.create_task(desk.call("POST", restore))
        for number in range(4):
            group.create_task(write(number))
    answer = asked.result()
    assert answer.status_code in {200, 409}, answer.text
    told = await feed(desk, project)
    assert [t["seq"] for t in told] == list(range(1, len(told) + 1))
    if answer.status_code == 200:
        assert await desk.tree(project, f"at={answer.json()['data']['seq']}") == then


async def test_of_many_files_too_the_past_is_what_it_was(desk: Desk) -> None:
    project = await desk.project()
    past: dict[int, dict[str, str | None]] = {}
    for turn in range(6):
        steps = [
            {"op": "upsert", "path": f"d{number % 7}/f{number}", "content": f"{turn} {number}"}
            for number in range(400)
        ]
        assert (await desk.batch(project, *steps)).status_code == 200
        gone = {"op": "delete", "path": f"d{turn}/f{turn}"}
        assert (await desk.batch(project, gone)).status_code == 200
        seq = (await feed_head(desk, project))["seq"]
        past[seq] = await desk.tree(project)
        past[seq - 1] = {**past[seq], gone["path"]: await hash_of(desk, project, gone, seq - 1)}
    for seq, then in past.items():
        assert await desk.tree(project, f"at={seq}") == then, seq


async def feed_head(desk: Desk, project: str) -> dict[str, Any]:
    """The newest change."""
    newest: dict[str, Any] = (await desk.call("GET", f"{project}/history?limit=1")).json()["data"][
        0
    ]
    return newest


async def hash_of(desk: Desk, project: str, gone: dict[str, str], seq: int) -> str:
    """What was at a path at a moment."""
    answer = await desk.call("GET", f"{project}/files/{gone['path']}?at={seq}")
    found: str = answer.json()["data"]["hash"]
    return found
