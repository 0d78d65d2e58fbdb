"""What may be where: a path is a file or a folder, and a list of files goes on where it ended."""

import asyncio
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import sqlalchemy as sa
from services.projects.tests.desk import Desk

from common.statements import compiled
from common.testing.processes import Process
from projects.files import changes
from projects.files.statement import CHANGE
from projects.files.types import Author, Change


@pytest.mark.parametrize(
    ("first", "second"), [("a", "a/b"), ("a/b", "a"), ("A", "a/b/c"), ("a/B/c", "A/b")]
)
async def test_a_path_is_a_file_or_a_folder(desk: Desk, first: str, second: str) -> None:
    project = await desk.project()
    await desk.put(project, first, "1")
    refused = await desk.put(project, second, "2")
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "INVALID_PATH")
    for step in (
        {"op": "create", "path": second, "content": "2"},
        {"op": "copy", "path": first, "to": second},
    ):
        answer = await desk.batch(project, {"op": "create", "path": "other", "content": "3"}, step)
        assert answer.status_code == 400, step
        assert answer.json()["error"]["details"][0]["index"] == 1
    assert list(await desk.tree(project)) == [first]
    both = [{"op": "create", "path": f"n/{p}", "content": "x"} for p in (first, second)]
    answer = await desk.batch(project, *both)
    assert answer.json()["error"]["details"][0]["index"] == 1


async def test_what_goes_makes_room(desk: Desk) -> None:
    project = await desk.project()
    await desk.put(project, "a", "1")
    steps: list[dict[str, Any]] = [
        {"op": "move", "path": "a", "to": "b"},
        {"op": "create", "path": "a/c", "content": "2"},
    ]
    assert (await desk.batch(project, *steps)).status_code == 200
    assert list(await desk.tree(project)) == ["a/c", "b"]
    steps = [{"op": "delete", "path": "a"}, {"op": "move", "path": "b", "to": "a"}]
    assert (await desk.batch(project, *steps)).status_code == 200
    assert list(await desk.tree(project)) == ["a"]
    await desk.call("DELETE", f"{project}/files/a")
    assert (await desk.put(project, "a/d", "3")).status_code == 201


async def test_what_is_made_where_another_left_is_another(desk: Desk) -> None:
    project = await desk.project()
    await desk.put(project, "a", "1")
    steps = [
        {"op": "move", "path": "a", "to": "b"},
        {"op": "move", "path": "b", "to": "c"},
        {"op": "upsert", "path": "c", "content": "2"},
    ]
    assert (await desk.batch(project, *steps)).status_code == 200
    news = await desk.news(project, 2)
    assert [(kind, data["path"]) for kind, data in news] == [
        ("file.moved.v1", "a"),
        ("file.created.v1", "c"),
    ]
    assert news[0][1]["to"] == "c"
    await desk.put(project, "a", "new")
    told = (await desk.call("GET", f"{project}/history/files/c")).json()["data"]
    assert [t["path"] for t in told] == ["c", "a", "a"]


async def test_a_list_of_files_goes_on_where_it_ended(desk: Desk) -> None:
    project = await desk.project()
    names = [f"d/{number:02}" for number in range(12)]
    await desk.batch(project, *[{"op": "create", "path": n, "content": n} for n in names])
    await desk.put(project, "other", "x")
    for sort, expected in (("path", names), ("-path", names[::-1])):
        seen: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            query = f"prefix=d/&sort={sort}&limit=5&cursor={cursor}"
            answer = await desk.call("GET", f"{project}/files?{query}")
            seen += [file["path"] for file in answer.json()["data"]]
            cursor = answer.json()["meta"]["nextCursor"]
            await desk.put(project, f"d/{len(seen):02}x", "new")
            await desk.call("DELETE", f"{project}/files/{seen[0]}")
        assert [name for name in seen if name in expected] == expected
        assert len(set(seen)) == len(seen)
        await desk.batch(project, *[{"op": "upsert", "path": n, "content": n} for n in names])


async def test_a_cursor_fits_the_list_that_it_is_of(desk: Desk) -> None:
    project = await desk.project()
    for name in ("a", "b", "c"):
        await desk.put(project, name, name)
    first = await desk.call("GET", f"{project}/files?limit=1&cursor=")
    cursor = first.json()["meta"]["nextCursor"]
    for query in (f"prefix=a&cursor={cursor}", f"sort=-path&cursor={cursor}", "cursor=bogus"):
        answer = await desk.call("GET", f"{project}/files?{query}")
        assert answer.json()["error"]["code"] == "CURSOR_INVALID", query
    both = await desk.call("GET", f"{project}/files?page=2&cursor={cursor}")
    assert both.json()["error"]["details"][0]["field"] == "page"
    stranger = await desk.call("GET", f"{project}/files?cursor={cursor}", desk.stranger)
    assert stranger.status_code == 404


@pytest.mark.parametrize("is_beside", [False, True])
async def test_of_a_file_and_a_folder_made_at_once_one_is_there(
    desk: Desk,
    other: Process,
    is_beside: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    project = await desk.project()
    for turn in range(10):
        file, inside = f"{project}/files/{turn}", f"{project}/files/{turn}/a/b"
        sends = {"content": "x"}
        second = other.call if is_beside else desk.call
        answers = await asyncio.gather(
            desk.call("PUT", file, sends=sends), second("PUT", inside, desk.owner, sends=sends)
        )
        assert sorted(answer.status_code for answer in answers) == [201, 400], turn
    assert len(await desk.tree(project)) == 10


async def test_what_is_in_the_way_is_looked_up_and_not_looked_for(desk: Desk) -> None:
    project = await desk.project()
    for start in range(0, 4_000, 500):
        steps = [
            {"op": "create", "path": f"d{n % 40}/f{n}", "content": "x"}
            for n in range(start, start + 500)
        ]
        assert (await desk.batch(project, *steps)).status_code == 200
    await desk.client.db.run(sa.text("ANALYZE file"))
    one = Change(path="new/file", hash="0" * 64, content=b"x")
    author = Author(UUID(project.rpartition("/")[2]), desk.owner, "rest", 1_000, 10_000)
    ready = compiled(CHANGE)
    given = changes.columns_of(author, [one])
    connection = await asyncpg.connect(desk.client.app.state.settings.database_url)
    try:
        plan = await connection.fetch(f"EXPLAIN {ready.text}", *ready.values(given))
    finally:
        await connection.close()
    assert not [row[0] for row in plan if "Seq Scan on file" in row[0]]
