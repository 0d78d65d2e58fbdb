"""A project that is purged is gone for good, and nobody else's is."""

import asyncio
from uuid import UUID

import pytest
import sqlalchemy as sa
from services.projects.tests.desk import Desk

from common.ids import uuid7
from common.testing.processes import Process
from projects.history_tables import CheckpointRow, FileVersionRow, KeyframeFileRow, KeyframeRow
from projects.keyframes import repository as keyframes
from projects.tables import FileRow, HeadRow, MemberRow, ProjectBlobRow

TABLES = (
    FileRow,
    FileVersionRow,
    HeadRow,
    MemberRow,
    ProjectBlobRow,
    KeyframeRow,
    KeyframeFileRow,
    CheckpointRow,
)


async def rows(desk: Desk, project: str) -> dict[str, int]:
    """How many rows each table has of a project."""
    project_id = UUID(project.rpartition("/")[2])
    found = {}
    for table in TABLES:
        count = sa.select(sa.func.count()).where(table.project_id == project_id)
        found[table.__tablename__] = await desk.client.db.one(count, int)
    return found


async def filled(desk: Desk) -> str:
    """A project with everything that one can have."""
    project = await desk.staffed()
    for text in ("1", "2"):
        await desk.put(project, "a", text)
    await desk.call("DELETE", f"{project}/files/a")
    await desk.put(project, "b", "2")
    await desk.call("POST", f"{project}/checkpoints", sends={"name": "one"})
    await keyframes.make(desk.client.db, UUID(project.rpartition("/")[2]))
    return project


@pytest.mark.parametrize("is_trashed", [True, False])
async def test_nothing_is_left_of_it(desk: Desk, is_trashed: bool) -> None:  # noqa: FBT001 - a parameter of the test
    project, other = await filled(desk), await filled(desk)
    before = await rows(desk, other)
    assert all(before.values())
    if is_trashed:
        await desk.call("DELETE", project)
    assert (await desk.call("DELETE", f"{project}?purge=true")).status_code == 204
    assert set((await rows(desk, project)).values()) == {0}
    assert (await rows(desk, other), await desk.text(other, "b")) == (before, "2")
    for method, path in (("GET", project), ("POST", f"{project}/restore"), ("DELETE", project)):
        assert (await desk.call(method, path)).status_code == 404
    listed = await desk.call("GET", "/api/v1/projects?scope=trashed")
    assert listed.json()["data"] == []


async def test_everybody_hears_that_it_is_over(desk: Desk) -> None:
    project = await filled(desk)
    await desk.call("DELETE", f"{project}?purge=true")
    news = await desk.news(project, 3)
    assert [kind for kind, _ in news] == [
        "project.deleted.v1",
        "access.changed.v1",
        "project.deleted.v1",
    ]
    assert (news[1][1]["isDeleted"], news[2][1]["purged"]) == (True, True)


async def test_only_an_owner_purges(desk: Desk) -> None:
    project = await desk.staffed()
    for user, status in ((desk.editor, 403), (desk.viewer, 403), (desk.stranger, 404)):
        assert (await desk.call("DELETE", f"{project}?purge=true", user)).status_code == status
    await desk.call("DELETE", project)
    # what is in the trash is there for its owner alone
    for user in (desk.editor, desk.stranger):
        assert (await desk.call("DELETE", f"{project}?purge=true", user)).status_code == 404
    assert (await desk.call("DELETE", f"{project}?purge=maybe")).status_code == 400
    assert (await desk.call("POST", f"{project}/restore")).status_code == 200


async def test_a_purge_beside_writers_gets_through(desk: Desk, other: Process) -> None:
    for _ in range(4):
        project = await desk.project()
        for number in range(20):
            await desk.put(project, f"f{number}", "0")
        is_over = asyncio.Event()

        async def write(number: int, project: str, is_over: asyncio.Event) -> set[int]:
            statuses = set()
            while not is_over.is_set():
                sends = {"content": f"{uuid7()}"}
                path = f"{project}/files/f{number}"
                statuses.add((await other.call("PUT", path, desk.owner, sends=sends)).status_code)
            return statuses

        writers = [asyncio.create_task(write(n, project, is_over)) for n in range(8)]
        await asyncio.sleep(0.1)
        answer = await desk.call("DELETE", f"{project}?purge=true")
        is_over.set()
        found = set[int]().union(*await asyncio.gather(*writers))
        assert (answer.status_code, found - {200, 404}) == (204, set())
        assert set((await rows(desk, project)).values()) == {0}


async def test_a_fork_beside_a_purge_is_whole_or_none(desk: Desk) -> None:
    for _ in range(10):
        project = await desk.project(isPublic=True)
        await desk.batch(
            project, *[{"op": "create", "path": f"{n}", "content": "x"} for n in range(20)]
        )
        forks, answer = await asyncio.gather(
            asyncio.gather(
                *[desk.call("POST", f"{project}/fork", uuid7(), sends={}) for _ in range(4)]
            ),
            desk.call("DELETE", f"{project}?purge=true"),
        )
        assert answer.status_code == 204
        for fork in forks:
            assert fork.status_code in {201, 404}
            if fork.status_code == 201:
                made = UUID(fork.headers["location"].rpartition("/")[2])
                count = sa.select(HeadRow.files).where(HeadRow.project_id == made)
                assert await desk.client.db.one_or_none(count, int) == 20
