"""Batches through HTTP: all or none, or what can be done; moves, copies, conditions."""

from typing import Any

import pytest
from services.projects.tests.desk import Desk
from services.projects.tests.integration.test_files import tag


def create(path: str, content: str = "x") -> dict[str, Any]:
    """A step that creates a file."""
    return {"op": "create", "path": path, "content": content}


async def test_steps_follow_one_another(desk: Desk) -> None:
    project = await desk.project()
    await desk.put(project, "old.txt", "old")
    answer = await desk.batch(
        project,
        create("a/b.txt", "1"),
        {"op": "move", "path": "old.txt", "to": "new.txt"},
        {"op": "copy", "path": "a/b.txt", "to": "c.txt"},
        {"op": "update", "path": "c.txt", "content": "2"},
        {"op": "upsert", "path": "d.txt", "content": "MQ==", "encoding": "base64"},
        {"op": "delete", "path": "a/b.txt"},
    )
    assert answer.status_code == 200
    results = answer.json()["data"]["results"]
    assert [(r["index"], r["status"]) for r in results] == [(n, 200) for n in range(6)]
    assert await desk.tree(project) == {
        path: tag(content).strip('"')
        for path, content in (("c.txt", "2"), ("d.txt", "1"), ("new.txt", "old"))
    }


@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [
        ({"op": "create", "path": "there", "content": "x"}, 409, "FILE_EXISTS"),
        ({"op": "update", "path": "none", "content": "x"}, 404, "NOT_FOUND"),
        ({"op": "delete", "path": "none"}, 404, "NOT_FOUND"),
        ({"op": "move", "path": "none", "to": "x"}, 404, "NOT_FOUND"),
        ({"op": "move", "path": "there"}, 400, "VALIDATION_ERROR"),
        ({"op": "move", "path": "there", "to": "../x"}, 400, "INVALID_PATH"),
        ({"op": "move", "path": "there", "to": "f0"}, 409, "FILE_EXISTS"),
        ({"op": "copy", "path": "there", "to": "there/in"}, 400, "VALIDATION_ERROR"),
        ({"op": "create", "path": "a\0b", "content": "x"}, 400, "INVALID_PATH"),
        ({"op": "delete", "path": "a\0b"}, 400, "INVALID_PATH"),
        ({"op": "create", "path": "CON", "content": "x"}, 400, "INVALID_PATH"),
        ({"op": "create", "path": "THERE", "content": "x"}, 400, "INVALID_PATH"),
        ({"op": "create", "path": "x"}, 400, "VALIDATION_ERROR"),
        (
            {"op": "create", "path": "x", "content": "%", "encoding": "base64"},
            400,
            "VALIDATION_ERROR",
        ),
        (
            {"op": "upsert", "path": "there", "content": "x", "ifMatch": "00"},
            412,
            "PRECONDITION_FAILED",
        ),
        (
            {"op": "upsert", "path": "none", "content": "x", "ifMatch": "*"},
            412,
            "PRECONDITION_FAILED",
        ),
    ],
)
async def test_one_wrong_step_of_many_undoes_all(
    desk: Desk, wrong: dict[str, Any], status: int, code: str
) -> None:
    project = await desk.project()
    await desk.put(project, "there", "1")
    before, announced = await desk.tree(project), await desk.subjects(project)
    operations = [create(f"f{n}") for n in range(499)]
    operations.insert(250, wrong)
    answer = await desk.batch(project, *operations)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code)
    assert error["details"][0]["index"] == 250
    assert await desk.tree(project) == before
    assert await desk.subjects(project) == announced


async def test_what_can_be_done_is_done(desk: Desk) -> None:
    project = await desk.project()
    await desk.put(project, "there", "1")
    operations = [create(f"f{n}") for n in range(499)]
    operations.insert(250, create("there"))
    answer = await desk.batch(project, *operations, atomic=False)
    assert answer.status_code == 200
    results = answer.json()["data"]["results"]
    refused = results[250]
    assert (refused["status"], refused["code"], refused["index"]) == (409, "FILE_EXISTS", 250)
    done = [r for r in results if r["status"] == 200]
    assert len(done) == 499
    assert all(r["file"]["version"] == 1 and r["file"]["path"] == r["path"] for r in done)
    assert len(await desk.tree(project)) == 500
    assert (await desk.subjects(project)).count("file.created") == 500


async def test_a_refused_move_leaves_nothing_half_done(desk: Desk) -> None:
    project = await desk.project()
    await desk.batch(project, create("src/a"), create("src/z"), create("lib/z"))
    answer = await desk.batch(
        project, {"op": "move", "path": "src", "to": "lib"}, create("b"), atomic=False
    )
    assert answer.status_code == 200, answer.text
    assert [r["status"] for r in answer.json()["data"]["results"]] == [409, 200]
    assert sorted(await desk.tree(project)) == ["b", "lib/z", "src/a", "src/z"]
    cases = {"lib": (409, "FILE_EXISTS"), "LIB": (400, "INVALID_PATH")}
    for to, (status, code) in cases.items():
        refused = await desk.batch(project, create("c"), {"op": "move", "path": "src", "to": to})
        error = refused.json()["error"]
        assert (refused.status_code, error["code"]) == (status, code)
        assert error["details"][0]["index"] == 1


async def test_a_folder_moves_with_its_history(desk: Desk) -> None:
    project = await desk.project()
    await desk.batch(project, *[create(f"src/f{n}", str(n)) for n in range(300)])
    answer = await desk.batch(project, {"op": "move", "path": "src", "to": "lib/core"})
    assert answer.status_code == 200
    assert sorted(await desk.tree(project)) == sorted(f"lib/core/f{n}" for n in range(300))
    moved = [e.data for e in await desk.events(project) if e.subject.endswith("moved.v1")]
    assert {(m["path"], m["to"]) for m in moved} == {
        (f"src/f{n}", f"lib/core/f{n}") for n in range(300)
    }
    assert (await desk.subjects(project)).count("file.deleted") == 0
    assert (await desk.subjects(project)).count("file.created") == 300


async def test_a_move_may_change_case_alone(desk: Desk) -> None:
    project = await desk.project()
    await desk.put(project, "Main.ts", "1")
    clash = await desk.put(project, "main.ts", "2")
    assert clash.json()["error"]["code"] == "INVALID_PATH"
    answer = await desk.batch(project, {"op": "move", "path": "Main.ts", "to": "main.ts"})
    assert answer.status_code == 200
    assert list(await desk.tree(project)) == ["main.ts"]
    assert (await desk.subjects(project))[-1] == "file.moved"
    back = await desk.batch(project, {"op": "move", "path": "main.ts", "to": "Main.ts"})
    assert back.status_code == 200
    assert list(await desk.tree(project)) == ["Main.ts"]


async def test_a_swap_is_three_moves(desk: Desk) -> None:
    project = await desk.project()
    await desk.batch(project, create("a", "1"), create("b", "2"))
    answer = await desk.batch(
        project,
        {"op": "move", "path": "a", "to": "t"},
        {"op": "move", "path": "b", "to": "a"},
        {"op": "move", "path": "t", "to": "b"},
    )
    assert answer.status_code == 200
    assert (await desk.text(project, "a"), await desk.text(project, "b")) == ("2", "1")


async def test_steps_may_ask_how_files_are(desk: Desk) -> None:
    project = await desk.project()
    await desk.put(project, "a", "1")
    step = {"op": "update", "path": "a", "content": "2", "ifMatch": tag("1")}
    assert (await desk.batch(project, step)).status_code == 200
    stale = await desk.batch(project, {**step, "content": "3"})
    error = stale.json()["error"]
    assert (stale.status_code, error["code"]) == (412, "PRECONDITION_FAILED")
    assert error["details"] == [{"index": 0, "etag": tag("2").strip('"')}]


@pytest.mark.parametrize(
    "body",
    [
        {"operations": []},
        {},
        {"operations": [create("a")], "mode": "x"},
        {"operations": [{**create("a"), "owner": "x"}]},
        {"operations": [{"op": "chmod", "path": "a"}]},
        {"operations": [{"op": "create"}]},
        {"operations": "all"},
        {"operations": [create("a")], "atomic": "no"},
    ],
)
async def test_what_is_no_batch_is_refused(desk: Desk, body: dict[str, Any]) -> None:
    project = await desk.project()
    answer = await desk.call("POST", f"{project}/files/batch", sends=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_ERROR")
    assert await desk.tree(project) == {}


async def test_a_batch_has_a_largest_size(desk: Desk) -> None:
    project = await desk.project()
    answer = await desk.batch(project, *[create(f"f{n}") for n in range(501)])
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (413, "PAYLOAD_TOO_LARGE")
    assert error["details"] == [{"limit": 500}]


async def test_what_is_no_path_costs_nothing_however_long_it_is(desk: Desk) -> None:
    project = await desk.project()
    for op in ("create", "delete", "move", "copy"):
        step = {"op": op, "path": "a/" * 500_000 + "b", "content": "x", "to": "a/" * 500_000}
        answer = await desk.batch(project, step)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_PATH")


async def test_if_match_takes_several_tags(desk: Desk) -> None:
    project = await desk.project()
    tag = (await desk.put(project, "a", "1")).headers["etag"]
    stale = await desk.put(project, "a", "2", **{"if-match": '"x", "y"'})
    assert stale.status_code == 412
    fresh = await desk.put(project, "a", "2", **{"if-match": f'"x", {tag}'})
    assert fresh.status_code == 200
