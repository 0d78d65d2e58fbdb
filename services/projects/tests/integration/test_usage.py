"""What a project holds, what it may hold, and that no more gets in."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from services.projects.tests.desk import Desk

from common.testing.apps import Serving
from common.testing.processes import Process, free_port, process

APPLICATION = "projects.main:create_app"
BYTES, FILES = 100, 5
LIMITS = {"STORAGE_BYTES_MAX": str(BYTES), "FILES_PER_PROJECT_MAX": str(FILES)}


@pytest.fixture
async def narrow(serve: Serving) -> AsyncGenerator[Desk]:
    """The service, where a project may hold a hundred bytes and five files."""
    async with serve(**LIMITS) as client:
        yield Desk(client)


@pytest.fixture
async def beside(told: dict[str, str]) -> AsyncGenerator[Process]:
    """Another process with the same limits."""
    async with process(APPLICATION, told | LIMITS | {"PORT": str(free_port())}) as running:
        yield running


async def used(desk: Desk, project: str) -> dict[str, Any]:
    """What a project holds."""
    answer = await desk.call("GET", f"{project}/usage")
    assert answer.status_code == 200, answer.text
    data = answer.json()["data"]
    return {name: data[name]["used"] for name in ("bytes", "files", "members")}


def refused(answer: Any) -> tuple[int, str, dict[str, int]]:
    """How a write was refused."""
    error = answer.json()["error"]
    return answer.status_code, error["code"], error["details"][0]


async def test_content_counts_once_and_history_counts(desk: Desk) -> None:
    project = await desk.staffed()
    assert await used(desk, project) == {"bytes": 0, "files": 0, "members": 4}
    await desk.put(project, "a", "12345")
    await desk.put(project, "b", "12345")
    await desk.batch(project, {"op": "copy", "path": "a", "to": "c"})
    assert await used(desk, project) == {"bytes": 5, "files": 3, "members": 4}
    await desk.put(project, "a", "123")
    await desk.call("DELETE", f"{project}/files/b")
    await desk.batch(project, {"op": "move", "path": "c", "to": "d"})
    assert await used(desk, project) == {"bytes": 8, "files": 2, "members": 4}
    await desk.put(project, "a", "12345")
    assert await used(desk, project) == {"bytes": 8, "files": 2, "members": 4}


async def test_members_see_it_and_nobody_else(desk: Desk) -> None:
    project = await desk.staffed(isPublic=True)
    assert (await desk.call("GET", f"{project}/usage", desk.viewer)).status_code == 200
    assert (await desk.call("GET", f"{project}/usage", desk.stranger)).status_code == 403
    private = await desk.project()
    assert (await desk.call("GET", f"{private}/usage", desk.stranger)).status_code == 404


async def test_what_is_too_much_is_refused_and_nothing_is_written(narrow: Desk) -> None:
    project = await narrow.project()
    await narrow.put(project, "a", "x" * 60)
    answer = await narrow.put(project, "b", "y" * 41)
    assert refused(answer) == (403, "QUOTA_EXCEEDED", {"limit": BYTES, "used": 60})
    assert (await narrow.put(project, "b", "y" * 40)).status_code == 201
    # what it has takes no more room
    assert (await narrow.put(project, "c", "x" * 60)).status_code == 201
    steps = [{"op": "create", "path": f"n{n}", "content": str(n)} for n in range(2)]
    answer = await narrow.batch(project, *steps)
    assert refused(answer)[:2] == (403, "QUOTA_EXCEEDED")
    assert sorted(await narrow.tree(project)) == ["a", "b", "c"]
    assert (await narrow.call("DELETE", f"{project}/files/c")).status_code == 204


async def test_there_are_no_more_files_than_may_be(narrow: Desk) -> None:
    project = await narrow.project()
    for number in range(FILES):
        assert (await narrow.put(project, f"f{number}", "")).status_code == 201
    limit = {"limit": FILES, "used": FILES}
    assert refused(await narrow.put(project, "one-more", "")) == (403, "QUOTA_EXCEEDED", limit)
    copy = {"op": "copy", "path": "f0", "to": "f9"}
    assert refused(await narrow.batch(project, copy))[:2] == (403, "QUOTA_EXCEEDED")
    assert (await narrow.batch(project, {**copy, "op": "move"})).status_code == 200
    assert (await narrow.put(project, "f1", "changed")).status_code == 200
    assert (await narrow.call("DELETE", f"{project}/files/f2")).status_code == 204
    assert (await narrow.put(project, "one-more", "")).status_code == 201


async def test_those_who_race_for_the_last_room_do_not_all_get_it(
    narrow: Desk, beside: Process
) -> None:
    for turn in range(5):
        project = await narrow.project()

        async def write(number: int, project: str = project, turn: int = turn) -> int:
            sends = {"content": f"{turn}{number}".ljust(30, "x")}
            path = f"{project}/files/{number}"
            if number % 2:
                return (await beside.call("PUT", path, narrow.owner, sends=sends)).status_code
            return (await narrow.call("PUT", path, sends=sends)).status_code

        statuses = await asyncio.gather(*[write(number) for number in range(8)])
        assert sorted(statuses) == [201] * 3 + [403] * 5
        assert await used(narrow, project) == {"bytes": 90, "files": 3, "members": 1}


async def test_who_has_more_than_they_may_keeps_it(desk: Desk, narrow: Desk) -> None:
    project = await desk.project()
    for number in range(FILES + 2):
        await desk.put(project, f"f{number}", f"{number}" * 50)
    narrow.owner = desk.owner
    assert refused(await narrow.put(project, "f0", "new"))[:2] == (403, "QUOTA_EXCEEDED")
    assert (await narrow.call("DELETE", f"{project}/files/f1")).status_code == 204
    assert (await narrow.put(project, "f0", "2" * 50)).status_code == 200
    assert (await used(narrow, project))["files"] == FILES + 1
