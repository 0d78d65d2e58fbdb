"""Files that are open live, as collab asks for them: marked, looked at, written back, closed."""

import asyncio
from itertools import pairwise

from services.projects.tests.desk import Desk
from services.projects.tests.live import BYTES_MAX, Live, digest

from common.ids import uuid7
from common.testing.apps import Serving


async def test_what_is_opened_is_told_and_marked(desk: Desk) -> None:
    project = await desk.project()
    await desk.put(project, "a.txt", "text")
    live = Live(desk, project)
    found = await live.open("a.txt")
    assert found | {"fileId": ""} == {
        "fileId": "",
        "path": "a.txt",
        "hash": digest("text"),
        "version": 1,
        "flushedSeq": 0,
        "actorId": str(desk.owner),
        "isText": True,
        "content": "text",
    }
    assert (await live.open("a.txt", known=digest("text")))["content"] is None
    assert (await live.open("a.txt", known=digest("other")))["content"] == "text"


async def test_what_is_nothing_to_type_into_is_not_opened(desk: Desk) -> None:
    project = await desk.project()
    live = Live(desk, project)
    await desk.put(project, "gone.txt", "text")
    await desk.call("DELETE", f"{project}/files/gone.txt")
    await desk.put(project, "nul", "a\0b")
    await desk.put(project, "large", "x" * 11)
    for path, bytes_max in (("none", 100), ("gone.txt", 100), ("nul", 100), ("large", 10)):
        answer = await live.ask("open", path=path, epoch=1, known=None, bytesMax=bytes_max)
        assert answer.status_code == 404, path
    await desk.call("DELETE", project)
    trashed = await live.ask("open", path="large", epoch=1, known=None, bytesMax=100)
    strange = await Live(desk, f"/{uuid7()}").ask("open", path="a", epoch=1, bytesMax=100)
    assert (trashed.status_code, strange.status_code) == (404, 404)


async def test_the_fleet_s_secret_is_asked_for(desk: Desk) -> None:
    for what in ("open", "look", "write", "close"):
        path = f"/internal/projects/{uuid7()}/live/{what}"
        assert (await desk.client.post(path, json={})).status_code == 401


async def test_a_look_follows_a_file_wherever_it_goes(desk: Desk) -> None:
    project = await desk.project()
    await desk.put(project, "src/a.txt", "text")
    live = Live(desk, project)
    file_id = (await live.open("src/a.txt"))["fileId"]
    await live.close(file_id)
    for path in ("src/b.txt", "lib/b.txt", "src/a.txt"):
        here = (await live.look(file_id))["path"]
        assert (await desk.batch(project, {"op": "move", "path": here, "to": path})).is_success
        seen = await live.look(file_id, known=digest("text"))
        assert (seen["path"], seen["hash"], seen["content"]) == (path, digest("text"), None)
    await desk.put(project, "src/a.txt", "other")
    seen = await live.look(file_id, known=digest("text"))
    assert (seen["content"], seen["version"], seen["isText"]) == ("other", 5, True)
    await desk.put(project, "src/a.txt", "bin\0ary")
    seen = await live.look(file_id)
    assert (seen["hash"], seen["isText"], seen["content"]) == (digest("bin\0ary"), False, None)
    await desk.call("DELETE", f"{project}/files/src/a.txt")
    seen = await live.look(file_id)
    assert (seen["path"], seen["hash"], seen["content"]) == (None, None, None)
    await desk.put(project, "src/a.txt", "again")
    assert (await live.look(file_id))["path"] == "src/a.txt"


async def test_a_file_that_another_took_the_place_of_is_gone(desk: Desk) -> None:
    project = await desk.project()
    await desk.put(project, "a", "1")
    await desk.put(project, "b", "2")
    live = Live(desk, project)
    mine, other = (await live.open("a"))["fileId"], (await live.open("b"))["fileId"]
    await live.close(mine, other)
    steps = [{"op": "delete", "path": "a"}, {"op": "move", "path": "b", "to": "a"}]
    assert (await desk.batch(project, *steps)).is_success
    assert (await live.look(mine))["path"] is None
    assert (await live.look(other))["path"] == "a"
    assert (await live.look(str(uuid7())))["path"] is None


async def test_a_look_is_told_what_became_too_large_to_type_into(desk: Desk) -> None:
    project = await desk.project()
    await desk.put(project, "a", "12345")
    live = Live(desk, project)
    answer = await live.ask("open", path="a", epoch=1, known=None, bytesMax=5)
    file_id = answer.json()["fileId"]
    assert await live.write(file_id, 1, "12345", "123456") == "written"
    seen = await live.look(file_id)
    assert (seen["hash"], seen["isText"], seen["content"]) == (digest("123456"), False, None)


async def test_what_is_typed_becomes_a_version_with_all_who_typed(desk: Desk) -> None:
    project = await desk.staffed()
    await desk.put(project, "a.txt", "one")
    live = Live(desk, project)
    file_id = (await live.open("a.txt"))["fileId"]
    written = await live.ask(
        "write",
        fileId=file_id,
        epoch=1,
        seq=7,
        expected=digest("one"),
        content="one two",
        actors=[str(desk.owner), str(desk.editor)],
    )
    assert written.json() == {
        "verdict": "written",
        "hash": digest("one two"),
        "version": 2,
        "isFull": False,
    }
    seen = await live.look(file_id)
    assert (seen["flushedSeq"], seen["content"]) == (7, "one two")
    assert seen["actorId"] == str(desk.editor)
    feed = (await desk.call("GET", f"{project}/history")).json()["data"]
    assert [(v["origin"], v["actorId"], v["actors"]) for v in feed] == [
        ("ws", str(desk.editor), [str(desk.owner), str(desk.editor)]),
        ("rest", str(desk.owner), [str(desk.owner)]),
    ]
    of_file = (await desk.call("GET", f"{project}/history/files/a.txt")).json()["data"]
    assert of_file == feed
    [(subject, told)] = await desk.news(project, 1)
    assert (subject, told["origin"], told["actorId"]) == ("file.updated.v1", "ws", str(desk.editor))


async def test_what_is_written_back_already_is_not_written_twice(desk: Desk) -> None:
    project = await desk.project()
    await desk.put(project, "a.txt", "one")
    live = Live(desk, project)
    file_id = (await live.open("a.txt"))["fileId"]
    assert await live.write(file_id, 3, "one", "two") == "written"
    # its answer was lost
    assert await live.write(file_id, 3, "one", "two") == "unchanged"
    # typed, and taken back
    assert await live.write(file_id, 5, "two", "two") == "unchanged"
    assert (await live.look(file_id))["flushedSeq"] == 5
    assert await live.write(file_id, 4, "one", "old") == "unchanged"
    assert (await live.look(file_id))["content"] == "two"
    assert (await desk.subjects(project)).count("file.updated") == 1


async def test_of_a_write_back_and_another_writer_one_wins(desk: Desk) -> None:
    project = await desk.project()
    await desk.put(project, "a.txt", "0")
    live = Live(desk, project)
    file_id = (await live.open("a.txt"))["fileId"]
    seen = "0"
    for round_ in range(1, 11):
        verdicts = await asyncio.gather(
            *[live.write(file_id, round_, seen, f"{round_}/{n}") for n in range(4)]
        )
        # the others find theirs written, by the number up to which it is
        assert sorted(verdicts) == ["unchanged"] * 3 + ["written"]
        seen = (await live.look(file_id))["content"]
        assert seen == f"{round_}/{verdicts.index('written')}"
    assert await live.write(file_id, 99, "never there", "x") == "stale"
    assert (await live.look(file_id))["flushedSeq"] == 10


async def test_who_holds_an_older_epoch_is_fenced(desk: Desk) -> None:
    project = await desk.project()
    await desk.put(project, "a.txt", "one")
    live = Live(desk, project)
    file_id = (await live.open("a.txt", epoch=5))["fileId"]
    assert (await live.open("a.txt", epoch=4))["fileId"] == file_id
    assert await live.write(file_id, 1, "one", "two", epoch=4) == "fenced"
    assert await live.close(file_id, epoch=4) == 0
    assert await live.write(file_id, 1, "one", "two", epoch=5) == "written"
    assert await live.write(file_id, 2, "two", "three", epoch=6) == "written"
    assert await live.write(file_id, 3, "three", "four", epoch=5) == "fenced"
    assert (await live.close(file_id, epoch=5), await live.close(file_id, epoch=6)) == (0, 1)
    assert await live.write(file_id, 4, "three", "four", epoch=6) == "fenced"
    assert await desk.text(project, "a.txt") == "three"


async def test_what_is_gone_does_not_come_back(desk: Desk) -> None:
    project = await desk.project()
    await desk.put(project, "a.txt", "one")
    await desk.put(project, "b.txt", "one")
    live = Live(desk, project)
    first, second = (await live.open("a.txt"))["fileId"], (await live.open("b.txt"))["fileId"]
    await live.close(first)
    await desk.call("DELETE", f"{project}/files/a.txt")
    assert await live.write(first, 1, "one", "two") == "fenced"
    await desk.call("DELETE", project)
    assert await live.write(second, 1, "one", "two") == "gone"
    assert (await live.look(second))["path"] is None
    await desk.call("POST", f"{project}/restore")
    assert await live.write(second, 1, "one", "two") == "written"
    await desk.call("DELETE", f"{project}?purge=true")
    assert await live.write(second, 2, "two", "three") == "gone"
    assert await live.close(second) == 0


async def test_who_may_write_no_more_could_when_they_typed(desk: Desk) -> None:
    project = await desk.staffed()
    await desk.put(project, "a.txt", "one")
    live = Live(desk, project)
    file_id = (await live.open("a.txt"))["fileId"]
    for number, actor in enumerate((desk.viewer, desk.stranger), 1):
        seen = (await live.look(file_id))["content"]
        assert await live.write(file_id, number, seen, f"by {actor}", actor) == "written"


async def test_what_was_acknowledged_is_kept_beyond_the_quota_and_says_so(serve: Serving) -> None:
    async with serve(STORAGE_BYTES_MAX="100", TYPED_BEYOND_BYTES_MAX="50") as client:
        desk = Desk(client)
        project = await desk.project()
        await desk.put(project, "a.txt", "x" * 60)
        live = Live(desk, project)
        file_id = (await live.open("a.txt"))["fileId"]
        texts = ["x" * 60, "y" * 35, "z" * 40, "w" * 40]
        steps = enumerate(pairwise(texts), 1)
        kept = [await live.wrote(file_id, n, old, new) for n, (old, new) in steps]
        assert [one["verdict"] for one in kept] == ["written", "written", "full"]
        assert [one["isFull"] for one in kept] == [False, True, False]
        await live.close(file_id)
        refused = await desk.put(project, "b.txt", "more")
        assert refused.json()["error"]["code"] == "QUOTA_EXCEEDED"


async def test_large_texts_are_written_back_too(desk: Desk) -> None:
    project = await desk.project()
    texts = ["ä" * 600_000, "ö" * 700_000]
    await desk.put(project, "a.txt", texts[0])
    live = Live(desk, project)
    found = await live.open("a.txt")
    assert found["content"] == texts[0]
    assert await live.write(found["fileId"], 1, "never there", texts[1]) == "stale"
    assert await live.write(found["fileId"], 1, texts[0], texts[1]) == "written"
    assert (await live.look(found["fileId"]))["content"] == texts[1]
    await live.close(found["fileId"])
    assert await desk.text(project, "a.txt") == texts[1]
    assert len(texts[1].encode()) < BYTES_MAX
