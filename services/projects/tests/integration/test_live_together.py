"""Files that are open live, with those who type: read, changed and moved as any other file."""

import asyncio
import io
import zipfile
from typing import Any

import pytest
from services.projects.tests.desk import Desk
from services.projects.tests.integration.test_files import tag
from services.projects.tests.live import digest
from services.projects.tests.studio import Studio
from services.projects.tests.works import ended

from common.ids import uuid7
from common.testing.processes import Process

pytestmark = pytest.mark.usefixtures("collab")


async def test_a_file_is_what_was_typed(studio: Studio, desk: Desk) -> None:
    project = await studio.project(a="one")
    await studio.typed(project, "a", "typed ")
    shown = await desk.call("GET", f"{project}/files/a")
    data = shown.json()["data"]
    assert (data["content"], data["size"], data["encoding"]) == ("typed one", 9, "utf-8")
    assert (data["version"], data["updatedBy"]) == (1, str(desk.editor))
    assert (data["path"], data["hash"]) == ("a", digest("typed one"))
    assert shown.headers["etag"] == tag("typed one")
    file = f"{project}/files/a"
    raw = await desk.call("GET", f"{file}?raw=1")
    assert (raw.content, raw.headers["etag"]) == (b"typed one", tag("typed one"))
    part = await desk.call("GET", f"{file}?raw=1", range="bytes=6-8")
    assert (part.status_code, part.content) == (206, b"one")
    assert part.headers["content-range"] == "bytes 6-8/9"
    for query in ("", "?raw=1"):
        same = await desk.call("GET", f"{file}{query}", if_none_match=tag("typed one"))
        older = await desk.call("GET", f"{file}{query}", if_none_match=tag("one"))
        assert (same.status_code, older.status_code) == (304, 200)
    assert (await desk.call("GET", f"{file}?at=1")).json()["data"]["content"] == "one"


async def test_nobody_typed_yet(studio: Studio, desk: Desk) -> None:
    project = await studio.project(a="one")
    await studio.open(project, "a")
    file = f"{project}/files/a"
    assert (await desk.call("GET", file)).json()["data"]["content"] == "one"
    assert (await desk.call("GET", file, if_none_match=tag("one"))).status_code == 304
    assert (await desk.call("GET", f"{file}?raw=1")).content == b"one"
    assert (await desk.put(project, "a", "one")).json()["data"]["unchanged"]


async def test_large_files_are_read_as_they_are_typed(studio: Studio, desk: Desk) -> None:
    text = "line of text\n" * 90_000
    project = await studio.project(a=text)
    client = await studio.open(project, "a")
    assert await desk.text(project, "a") == text
    await client.type(0, "typed ")
    await client.sync()
    assert await desk.text(project, "a") == f"typed {text}"
    assert (await desk.put(project, "a", f"put {text}")).status_code == 200
    await client.until_text(f"put {text}")


async def test_a_link_shows_what_was_typed(studio: Studio, desk: Desk) -> None:
    project = await studio.project(a="one")
    made = await desk.call("POST", f"{project}/share-links", sends={})
    shared = f"/api/v1/shared/{made.json()['data']['token']}"
    await studio.typed(project, "a", "typed ")
    shown = await desk.client.call("GET", f"{shared}/files/a")
    assert shown.json()["data"]["content"] == "typed one"
    tree = await desk.client.call("GET", f"{shared}/tree")
    assert tree.json()["data"]["entries"][0]["hash"] == digest("typed one")


async def test_what_is_put_reaches_those_who_type(studio: Studio, desk: Desk) -> None:
    project = await studio.project(a="one\ntwo\n")
    client = await studio.typed(project, "a", "typed ")
    written = await desk.put(project, "a", "typed one\nput\n")
    assert (written.status_code, written.headers["etag"]) == (200, tag("typed one\nput\n"))
    # they had it before the answer
    await client.sync()
    assert str(client.text) == "typed one\nput\n"
    versions = await studio.versions(project, "a")
    assert [v["origin"] for v in versions] == ["rest", "ws", "rest"]
    assert versions[1]["actors"] == [str(desk.editor)]


async def test_conditions_are_of_what_was_typed(studio: Studio, desk: Desk) -> None:
    project = await studio.project(a="one")
    await studio.typed(project, "a", "typed ")
    stale = await desk.put(project, "a", "mine", if_match=tag("one"))
    [detail] = stale.json()["error"]["details"]
    assert (stale.status_code, stale.headers["etag"]) == (412, tag("typed one"))
    assert (detail["etag"], detail["updatedBy"]) == (digest("typed one"), str(desk.editor))
    file = f"{project}/files/a"
    for answer in (
        await desk.put(project, "a", "mine", if_none_match="*"),
        await desk.call("DELETE", file, if_match=tag("one")),
        await desk.call(
            "POST",
            f"{project}/restore-file",
            sends={"path": "a", "version": 1},
            if_match=tag("one"),
        ),
    ):
        assert (answer.status_code, answer.headers["etag"]) == (412, tag("typed one"))
    clash = await desk.call("POST", file, sends={"content": "mine"})
    assert (clash.status_code, clash.json()["error"]["code"]) == (409, "FILE_EXISTS")
    late = await desk.batch(
        project, {"op": "update", "path": "a", "content": "mine", "ifMatch": tag("one")}
    )
    assert (late.status_code, late.json()["error"]["code"]) == (412, "PRECONDITION_FAILED")
    assert await desk.text(project, "a") == "typed one"
    fresh = await desk.put(project, "a", "mine", if_match=tag("typed one"))
    assert fresh.status_code == 200


async def test_a_repetition_after_a_lost_answer_is_no_conflict(studio: Studio, desk: Desk) -> None:
    project = await studio.project(a="one")
    client = await studio.typed(project, "a", "typed ")
    for unchanged in (False, True, True):
        answer = await desk.put(project, "a", "mine", if_match=tag("typed one"))
        assert (answer.status_code, "unchanged" in answer.json()["data"]) == (200, unchanged)
    await client.type(0, "more of ")
    await client.sync()
    late = await desk.put(project, "a", "mine", if_match=tag("typed one"))
    assert (late.status_code, late.headers["etag"]) == (412, tag("more of mine"))


async def test_a_batch_is_on_what_was_typed(studio: Studio, desk: Desk) -> None:
    project = await studio.project(**{"src/a": "one", "src/b": "two", "c": "three"})
    first = await studio.typed(project, "src/a", "typed ")
    second = await studio.typed(project, "src/b", "typed ")
    steps: list[dict[str, Any]] = [
        {"op": "copy", "path": "src", "to": "copy"},
        {"op": "update", "path": "src/b", "content": "put", "ifMatch": tag("typed two")},
        {"op": "move", "path": "src", "to": "lib"},
        {"op": "delete", "path": "c"},
    ]
    answer = await desk.batch(project, *steps)
    assert answer.status_code == 200, answer.text
    await second.sync()
    assert str(second.text) == "put"
    assert await desk.tree(project) == {
        "copy/a": digest("typed one"),
        "copy/b": digest("typed two"),
        "lib/a": digest("typed one"),
        "lib/b": digest("put"),
    }
    # who has it open goes with it
    await first.type(0, "still ")
    await first.sync()
    assert await desk.text(project, "lib/a") == "still typed one"
    assert await desk.text(project, "copy/a") == "typed one"
    assert await desk.text(project, "src/a") is None


async def test_a_file_takes_the_place_of_one_that_is_open(studio: Studio, desk: Desk) -> None:
    project = await studio.project(a="one", b="two")
    gone = await studio.typed(project, "a", "typed ")
    stays = await studio.typed(project, "b", "typed ")
    steps = [{"op": "delete", "path": "a"}, {"op": "move", "path": "b", "to": "a"}]
    assert (await desk.batch(project, *steps)).status_code == 200
    assert await gone.closed() == 4404
    await stays.type(0, "still ")
    await stays.sync()
    assert await desk.text(project, "a") == "still typed two"
    hashes = [v["hash"] for v in await studio.versions(project, "a")]
    assert digest("typed one") in hashes


async def test_a_file_changes_its_case_alone(studio: Studio, desk: Desk) -> None:
    project = await studio.project(a="one")
    client = await studio.typed(project, "a", "typed ")
    assert (await desk.batch(project, {"op": "move", "path": "a", "to": "A"})).is_success
    await client.type(0, "still ")
    await client.sync()
    assert await desk.text(project, "A") == "still typed one"


async def test_what_is_deleted_was_written_before(studio: Studio, desk: Desk) -> None:
    project = await studio.project(a="one")
    client = await studio.typed(project, "a", "typed ")
    assert (await desk.call("DELETE", f"{project}/files/a")).status_code == 204
    assert await client.closed() == 4404
    assert (await desk.call("GET", f"{project}/files/a")).status_code == 404
    versions = await studio.versions(project, "a")
    assert [(v["action"], v["hash"]) for v in versions[:2]] == [
        ("deleted", None),
        ("updated", digest("typed one")),
    ]
    # at once, while those who had it open are being told
    assert (await desk.put(project, "a", "new")).status_code == 201
    assert await desk.text(project, "a") == "new"
    again = await studio.typed(project, "a", "typed ")
    assert str(again.text) == "typed new"


@pytest.mark.parametrize("number", range(3))
async def test_what_goes_and_comes_at_once_is_what_came(
    studio: Studio, desk: Desk, number: int
) -> None:
    project = await studio.project(a="one")
    await studio.typed(project, "a", "typed ")
    for round_ in range(3):
        assert (await desk.call("DELETE", f"{project}/files/a")).status_code == 204
        made = await desk.call("POST", f"{project}/files/a", sends={"content": f"{round_}"})
        assert made.status_code == 201, made.text
        assert await desk.text(project, "a") == f"{round_}"
        if number:
            await studio.typed(project, "a", "typed ")
            assert await desk.text(project, "a") == f"typed {round_}"


async def test_a_version_comes_back_to_those_who_type(studio: Studio, desk: Desk) -> None:
    project = await studio.project(a="one")
    client = await studio.typed(project, "a", "typed ")
    sends = {"path": "a", "version": 1}
    back = await desk.call("POST", f"{project}/restore-file", sends=sends)
    assert (back.status_code, back.headers["etag"]) == (200, tag("one"))
    await client.until_text("one")
    [restored, typed, _] = await studio.versions(project, "a")
    assert (restored["origin"], typed["hash"]) == ("restore", digest("typed one"))
    sends = {"path": "a", "version": typed["version"]}
    assert (await desk.call("POST", f"{project}/restore-file", sends=sends)).is_success
    await client.until_text("typed one")


async def test_a_checkpoint_is_of_what_was_typed_and_comes_back(studio: Studio, desk: Desk) -> None:
    project = await studio.project(a="one", b="two")
    first = await studio.typed(project, "a", "good ")
    sends = {"name": "good"}
    named = (await desk.call("POST", f"{project}/checkpoints", sends=sends)).json()["data"]
    assert await desk.tree(project) == {"a": digest("good one"), "b": digest("two")}
    await first.type(0, "bad ")
    await first.sync()
    second = await studio.typed(project, "b", "bad ")
    path = f"{project}/checkpoints/{named['id']}/restore"
    answer = await desk.call("POST", path)
    assert (answer.status_code, answer.json()["data"]["changed"]) == (200, 2)
    await asyncio.gather(first.until_text("good one"), second.until_text("two"))
    # what was typed until then is not lost
    before = answer.json()["data"]["before"]
    undone = await desk.call("POST", f"{project}/checkpoints/{before['id']}/restore")
    assert undone.json()["data"]["seq"] > answer.json()["data"]["seq"]
    await asyncio.gather(first.until_text("bad good one"), second.until_text("bad two"))
    assert await desk.text(project, "b") == "bad two"


async def test_what_reads_many_files_reads_what_was_typed(studio: Studio, desk: Desk) -> None:
    project = await studio.project(a="one", b="two")
    client = await studio.typed(project, "a", "0")
    seen: list[str] = []

    async def more() -> str:
        await client.type(0, f"{len(seen) + 1}")
        await client.sync()
        seen.append(str(client.text))
        return seen[-1]

    text = await more()
    assert (await desk.tree(project))["a"] == digest(text)
    for query in ("", "?cursor="):
        text = await more()
        listed = (await desk.call("GET", f"{project}/files{query}")).json()["data"]
        assert [file["hash"] for file in listed] == [digest(text), digest("two")]
    text = await more()
    pin = await desk.client.call("POST", f"/internal{project.removeprefix('/api/v1')}/pin")
    assert pin.json()["files"][0]["hash"] == digest(text)
    text = await more()
    archive = await desk.call("GET", f"{project}/export")
    with zipfile.ZipFile(io.BytesIO(archive.content)) as opened:
        assert opened.read("a").decode() == text
    text = await more()
    fork = await desk.call("POST", f"{project}/fork", sends={})
    assert await desk.text(fork.headers["location"], "a") == text
    text = await more()
    asked = await desk.call("POST", f"{project}/duplicate", sends={})
    job = await ended(desk, asked.headers["location"])
    assert await desk.text(job["result"]["href"], "a") == text


async def test_what_is_trashed_has_what_was_typed(studio: Studio, desk: Desk) -> None:
    project = await studio.project(a="one")
    await studio.typed(project, "a", "typed ")
    assert (await desk.call("DELETE", project)).status_code == 204
    assert (await desk.call("POST", f"{project}/restore")).status_code == 200
    assert [v["origin"] for v in await studio.versions(project, "a")] == ["ws", "rest"]
    assert await desk.text(project, "a") == "typed one"


async def test_with_a_key_it_happens_once_and_reaches_those_who_type(
    studio: Studio, desk: Desk
) -> None:
    project = await studio.project(a="one")
    client = await studio.typed(project, "a", "typed ")
    key = uuid7().hex
    sends = {"operations": [{"op": "update", "path": "a", "content": "put"}]}
    path = f"{project}/files/batch"
    first = await desk.call("POST", path, sends=sends, idempotency_key=key)
    assert first.status_code == 200, first.text
    await client.sync()
    assert str(client.text) == "put"
    await client.type(0, "in")
    await client.sync()
    again = await desk.call("POST", path, sends=sends, idempotency_key=key)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == first.json()
    assert await desk.text(project, "a") == "input"


async def test_many_with_keys_at_once_do_not_wait_for_one_another_for_ever(
    studio: Studio, desk: Desk, other: Process
) -> None:
    count = 16
    project = await studio.project(**{f"f{n}": "one" for n in range(count)})
    clients = [await studio.typed(project, f"f{n}", "typed ") for n in range(count)]
    answers = await asyncio.gather(
        *[
            other.call(
                "POST",
                f"{project}/files/batch",
                desk.owner,
                sends={"operations": [{"op": "update", "path": f"f{n}", "content": f"{n}"}]},
                idempotency_key=uuid7().hex,
            )
            for n in range(count)
        ]
    )
    assert {answer.status_code for answer in answers} == {200}
    for number, client in enumerate(clients):
        await client.until_text(f"{number}")


async def test_what_is_typed_while_a_file_moves_about_is_all_there(
    studio: Studio, desk: Desk
) -> None:
    project = await studio.project(**{"d0/a": "", "d0/b": "x"})
    client = await studio.open(project, "d0/a")
    words = [f"<{n}>" for n in range(40)]

    async def types() -> None:
        for word in words:
            await client.type(0, word)
            await asyncio.sleep(0.01)
        await client.sync()

    async def moves() -> int:
        for number in range(8):
            step = {"op": "move", "path": f"d{number}", "to": f"d{number + 1}"}
            answer = await desk.batch(project, step)
            assert answer.status_code == 200, answer.text
        return 8

    _, last = await asyncio.gather(types(), moves())
    assert await desk.text(project, f"d{last}/a") == str(client.text) == "".join(reversed(words))


async def test_appending_callers_and_typists_lose_nothing(studio: Studio, desk: Desk) -> None:
    project = await studio.project(a="\n")
    client = await studio.open(project, "a")

    async def types() -> None:
        for number in range(20):
            await client.type(0, f"<t{number}>")
            await asyncio.sleep(0.01)
        await client.sync()

    async def batches(name: str) -> None:
        done = 0
        while done < 6:
            text = await desk.text(project, "a") or ""
            more = f"{text}<{name}{done}>\n"
            step = {"op": "update", "path": "a", "content": more, "ifMatch": tag(text)}
            answer = await desk.batch(project, step)
            assert answer.status_code in {200, 409, 412}, answer.text
            done += answer.is_success

    await asyncio.gather(types(), batches("x"), batches("y"))
    text = await desk.text(project, "a") or ""
    words = [f"<t{n}>" for n in range(20)] + [f"<{c}{n}>" for c in "xy" for n in range(6)]
    assert {word: text.count(word) for word in words} == dict.fromkeys(words, 1)
    await client.until_text(text)
