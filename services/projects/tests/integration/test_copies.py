"""Copies of whole projects: equal, independent, private, and never a half one."""

import asyncio
import hashlib
import signal
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa
from services.projects.tests.desk import Desk
from services.projects.tests.works import JOBS, Works, code, ended, seen

from common.caller import Caller
from common.ids import uuid7
from common.testing.apps import Serving
from common.testing.processes import free_port, process
from common.testing.waiting import until
from projects.copies.service import make
from projects.files import service as files
from projects.files.types import Entry
from projects.tables import BlobRow

PROJECTS = "/api/v1/projects"
WAYS = ["duplicate", "fork"]
_HOLD = sa.select(BlobRow.size).where(BlobRow.hash == sa.bindparam("hash")).with_for_update()
each_way = pytest.mark.parametrize("way", WAYS)


@pytest.fixture
def works(desk: Desk) -> Works:
    """Jobs that nobody does but who is told to."""
    return Works(desk)


async def copied(
    desk: Desk, project: str, way: str, user: UUID | None = None, /, **sends: Any
) -> str:
    """Copy a project; return the copy's path."""
    answer = await desk.call("POST", f"{project}/{way}", user, sends=sends)
    if way == "fork":
        assert answer.status_code == 201, answer.text
        return answer.headers["location"]
    assert answer.status_code == 202, answer.text
    job = await ended(desk, answer.headers["location"], user)
    assert job["status"] == "complete", job
    return str(job["result"]["href"])


async def shown(desk: Desk, project: str, user: UUID | None = None) -> dict[str, Any]:
    """A project as somebody sees it."""
    data: dict[str, Any] = (await desk.call("GET", project, user)).json()["data"]
    return data


async def tree(desk: Desk, project: str, user: UUID | None = None) -> tuple[str, list[str]]:
    """The hash of a whole project, and its paths."""
    data = (await desk.call("GET", f"{project}/tree", user)).json()["data"]
    return data["hash"], [entry["path"] for entry in data["entries"]]


async def made(desk: Desk, user: UUID | None = None) -> list[str]:
    """What somebody's projects are called."""
    answer = await desk.call("GET", f"{PROJECTS}?sort=name", user)
    return [project["name"] for project in answer.json()["data"]]


@asynccontextmanager
async def held(desk: Desk, content: str) -> AsyncGenerator[None]:
    """Let nobody come to have this content for a while: who copies it waits."""
    async with desk.client.db.transaction() as tx:
        await tx.one(_HOLD, int, hash=hashlib.sha256(content.encode()).hexdigest())
        yield


def order(project: str, seq: int, name: str | None = None) -> dict[str, Any]:
    """What a job is given."""
    return {"project_id": project.rpartition("/")[2], "seq": seq, "name": name}


@each_way
async def test_a_copy_has_the_same_files_and_nobody_else_in_it(desk: Desk, way: str) -> None:
    said = {"description": "A game.", "settings": {"a": [1]}, "thumbnailUrl": "/x.png"}
    source = await desk.staffed(isPublic=True, **said)
    await desk.put(source, "src/a.ts", "one")
    await desk.put(source, "src/a.ts", "two")
    # the object store has this one
    await desk.put(source, "b", "x" * (desk.client.app.state.settings.inline_bytes_max + 1))
    await desk.put(source, "gone", "1")
    await desk.call("DELETE", f"{source}/files/gone")
    for kind, sends in (("checkpoints", {"name": "First"}), ("share-links", {})):
        assert (await desk.call("POST", f"{source}/{kind}", sends=sends)).status_code == 201
    copy = await copied(desk, source, way, desk.viewer)
    assert copy != source
    project = await shown(desk, copy, desk.viewer)
    assert {name: project[name] for name in said} == said
    assert (project["userId"], project["role"]) == (str(desk.viewer), "owner")
    assert project["isPublic"] is False
    assert await tree(desk, copy, desk.viewer) == await tree(desk, source)
    for path in ("src/a.ts", "b"):
        here = await desk.call("GET", f"{copy}/files/{path}?raw=1", desk.viewer)
        there = await desk.call("GET", f"{source}/files/{path}?raw=1")
        assert here.content == there.content
    file = (await desk.call("GET", f"{copy}/files/src/a.ts", desk.viewer)).json()["data"]
    assert (file["version"], file["updatedBy"]) == (1, str(desk.viewer))
    for user in (desk.owner, desk.editor, desk.stranger):
        assert (await desk.call("GET", copy, user)).status_code == 404
    people = await desk.call("GET", f"{copy}/collaborators", desk.viewer)
    assert [each["userId"] for each in people.json()["data"]] == [str(desk.viewer)]
    for kind in ("checkpoints", "share-links", "invitations"):
        assert (await desk.call("GET", f"{copy}/{kind}", desk.viewer)).json()["data"] == []
    past = (await desk.call("GET", f"{copy}/history", desk.viewer)).json()["data"]
    assert sorted(change["path"] for change in past) == ["b", "src/a.ts"]
    assert await desk.subjects(copy) == ["project.created", "access.changed", "tree.filled"]


async def test_a_fork_says_what_it_was_made_from(desk: Desk) -> None:
    source = await desk.project(isPublic=True)
    source_id = source.rpartition("/")[2]
    fork = await copied(desk, source, "fork", desk.stranger)
    project = await shown(desk, fork, desk.stranger)
    assert (project["forkedFrom"], project["name"]) == (source_id, "Pong")
    [created, *_] = await desk.events(fork)
    assert created.data["forkedFrom"] == source_id
    again = await copied(desk, fork, "fork", desk.stranger, name="Again")
    project = await shown(desk, again, desk.stranger)
    assert (project["forkedFrom"], project["name"]) == (fork.rpartition("/")[2], "Again")
    duplicate = await copied(desk, fork, "duplicate", desk.stranger)
    assert (await shown(desk, duplicate, desk.stranger))["forkedFrom"] is None


async def test_a_duplicate_has_a_name_of_its_own(desk: Desk) -> None:
    long = await desk.project(name="x" * 100)
    for sends, name in (({}, f"Copy of {'x' * 92}"), ({"name": "Pong 2"}, "Pong 2")):
        copy = await copied(desk, long, "duplicate", **sends)
        assert (await shown(desk, copy))["name"] == name


@each_way
async def test_what_is_asked_for_is_checked(desk: Desk, way: str) -> None:
    path = f"{await desk.project()}/{way}"
    wrong: list[object] = [{"name": ""}, {"name": "\0"}, {"name": 1}, {"title": "x"}, []]
    for sends in wrong:
        assert code(await desk.call("POST", path, sends=sends)) == (400, "VALIDATION_ERROR")
    form = await desk.client.request(
        "POST",
        path,
        headers={"x-fleet-secret": desk.client.secret, "x-user-id": str(desk.owner)},
        data={"name": "x"},
    )
    assert code(form) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert (await desk.call("POST", path)).is_success


@each_way
async def test_who_may_see_a_project_may_copy_it(desk: Desk, way: str) -> None:
    source = await desk.staffed()
    path = f"{source}/{way}"
    for user in (desk.owner, desk.editor, desk.commenter, desk.viewer):
        copy = await copied(desk, source, way, user)
        assert (await shown(desk, copy, user))["role"] == "owner"
    assert code(await desk.call("POST", path, desk.stranger)) == (404, "NOT_FOUND")
    nowhere = f"{PROJECTS}/{uuid7()}/{way}"
    assert code(await desk.call("POST", nowhere)) == (404, "NOT_FOUND")
    assert (await desk.client.call("POST", path)).status_code == 401
    key = {"x_auth_method": "api_key", "x_auth_scopes": "projects:read"}
    assert code(await desk.call("POST", path, **key)) == (403, "INSUFFICIENT_SCOPE")
    own = {"x_auth_project": source.rpartition("/")[2]}
    assert code(await desk.call("POST", path, **own)) == (403, "FORBIDDEN")
    elsewhere = {"x_auth_project": str(uuid7())}
    assert code(await desk.call("POST", path, **elsewhere)) == (404, "NOT_FOUND")
    await desk.call("DELETE", source)
    assert code(await desk.call("POST", path)) == (404, "NOT_FOUND")


@each_way
async def test_what_is_written_later_shows_on_one_side_alone(desk: Desk, way: str) -> None:
    source = await desk.project()
    await desk.put(source, "a", "same")
    await desk.put(source, "b", "same")
    copy = await copied(desk, source, way)
    await desk.put(source, "a", "changed in the source")
    await desk.put(copy, "b", "changed in the copy")
    await desk.put(copy, "new", "1")
    await desk.batch(source, {"op": "move", "path": "b", "to": "c"})
    assert (await tree(desk, source))[1] == ["a", "c"]
    assert (await tree(desk, copy))[1] == ["a", "b", "new"]
    assert await desk.text(copy, "a") == "same"
    assert await desk.text(source, "c") == "same"
    await desk.call("DELETE", source)
    assert await desk.text(copy, "a") == "same"


async def test_a_duplicate_is_of_the_moment_in_which_it_was_asked_for(desk: Desk) -> None:
    source = await desk.project()
    first = f"first {source}"
    await desk.put(source, "a", first)
    before = await tree(desk, source)
    async with held(desk, first):
        answer = await desk.call("POST", f"{source}/duplicate")
        path = answer.headers["location"]
        assert answer.json()["data"]["status"] == "queued"
        assert (path, answer.headers["retry-after"]) == (
            f"{JOBS}/{answer.json()['data']['id']}",
            "1",
        )
        await desk.put(source, "a", "second")
        await desk.put(source, "b", "second")
    job = await ended(desk, path)
    assert await tree(desk, job["result"]["href"]) == before


async def test_a_duplicate_that_is_cancelled_while_it_is_made_is_not_there(desk: Desk) -> None:
    source = await desk.project()
    content = f"of {source}"
    await desk.put(source, "a", content)
    async with held(desk, content):
        path = (await desk.call("POST", f"{source}/duplicate")).headers["location"]

        async def is_running() -> bool:
            return bool((await seen(desk, path))["status"] == "running")

        await until(is_running)
        assert (await desk.call("DELETE", path)).status_code == 204
    job = await seen(desk, path)
    assert (job["status"], job["result"]) == ("cancelled", None)
    # whoever was at it has come to its end
    async with held(desk, content):
        assert await made(desk) == ["Pong"]
    assert (await desk.call("DELETE", path)).status_code == 409


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_a_duplicate_outlives_the_process_that_makes_it(
    desk: Desk, told: dict[str, str], number: signal.Signals
) -> None:
    source = await desk.project()
    content = f"of {source}"
    await desk.put(source, "a", content)
    own = {"PORT": str(free_port()), "JOB_LEASE_S": "0.5", "JOB_BEAT_S": "0.1"}
    async with process("projects.main:create_app", told | own) as other:
        async with held(desk, content):
            asked = await other.call("POST", f"{source}/duplicate", desk.owner)
            path = asked.headers["location"]

            async def is_running() -> bool:
                return bool((await seen(desk, path))["status"] == "running")

            await until(is_running)
            await other.end(number)
        job = await ended(desk, path)
    assert job["status"] == "complete"
    assert await tree(desk, job["result"]["href"]) == await tree(desk, source)
    assert await made(desk) == ["Copy of Pong", "Pong"]


async def test_a_job_whose_process_died_is_done_by_another_once(desk: Desk, works: Works) -> None:
    source = await desk.project()
    content = f"of {source}"
    await desk.put(source, "a", content)
    path = await works.ask(**order(source, 1))

    async def taken(times: int) -> bool:
        return await works.attempts(path) >= times

    # as if it were dead: it does not say that it lives
    silent = {"job_lease_s": 0.01, "job_beat_s": 1000.0, "job_progress_s": 1000.0}
    async with AsyncExitStack() as runners:
        async with held(desk, content):
            await runners.enter_async_context(works.done_by(make, jobs_at_once=1, **silent))
            await until(lambda: taken(1))
            await runners.enter_async_context(works.done_by(make, job_poll_s=0.01))
            await until(lambda: taken(2))
        job = await ended(desk, path)
    assert job["status"] == "complete"
    assert await made(desk) == ["Copy of Pong", "Pong"]


async def test_a_duplicate_of_many_files_tells_how_far_it_is(desk: Desk, works: Works) -> None:
    source = await desk.project()
    await desk.put(source, "first", "1")
    count = 9_999
    means = works.means()
    one = hashlib.sha256(b"1").hexdigest()
    author = files.author_of(
        means, Caller(user_id=desk.owner), UUID(source.rpartition("/")[2]), "test"
    )
    entries = [Entry(f"src/{n % 100}/{n}.ts", one, 1, "utf-8") for n in range(count)]
    async with means.db.transaction() as tx:
        await files.fill(tx, means, author, entries)
    path = await works.ask(**order(source, count + 1))
    told = set()

    async def is_over() -> bool:
        job = await seen(desk, path)
        told.add(job["progress"])
        return job["completedAt"] is not None

    async with works.done_by(make, job_progress_s=0.0):
        await until(is_over)
    job = await seen(desk, path)
    assert (job["status"], job["progress"]) == ("complete", 1)
    assert len([share for share in told if 0 < share < 1]) > 1
    assert await tree(desk, job["result"]["href"]) == await tree(desk, source)


@each_way
async def test_who_repeats_a_request_with_its_key_gets_one_copy(desk: Desk, way: str) -> None:
    source = await desk.project()
    await desk.put(source, "a", "1")
    key = {"idempotency_key": str(uuid7())}
    answers: list[httpx.Response] = [
        await desk.call("POST", f"{source}/{way}", sends={"name": "Twin"}, **key) for _ in range(3)
    ]
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert [a.headers.get("idempotency-replayed") for a in answers] == [None, "true", "true"]
    if way == "duplicate":
        await ended(desk, answers[0].headers["location"])
        assert len((await desk.call("GET", JOBS)).json()["data"]) == 1
    assert await made(desk) == ["Pong", "Twin"]


@each_way
async def test_a_copy_counts_among_one_s_projects(serve: Serving, way: str) -> None:
    async with serve(PROJECTS_PER_USER_MAX="1") as client:
        desk = Desk(client)
        source = await desk.project()
        refused = await desk.call("POST", f"{source}/{way}")
        assert code(refused) == (403, "QUOTA_EXCEEDED")
        assert refused.json()["error"]["details"] == [{"limit": 1, "used": 1}]
        assert await made(desk) == ["Pong"]


async def test_a_duplicate_is_refused_when_it_is_made_as_when_it_was_asked_for(
    desk: Desk, works: Works
) -> None:
    source = await desk.staffed()
    await desk.put(source, "a", "1")
    full = await works.ask(**order(source, 1))
    async with works.done_by(make, projects_per_user_max=1):
        assert (await ended(desk, full))["error"]["code"] == "QUOTA_EXCEEDED"
    crowded = await works.ask(**order(source, 1))
    async with works.done_by(make, files_per_project_max=0):
        assert (await ended(desk, crowded))["error"]["code"] == "QUOTA_EXCEEDED"
    removed = await works.ask(desk.viewer, **order(source, 1))
    await desk.call("DELETE", f"{source}/collaborators/{desk.viewer}")
    async with works.done_by(make):
        assert (await ended(desk, removed, desk.viewer))["error"]["code"] == "NOT_FOUND"
    trashed = await works.ask(**order(source, 1))
    await desk.call("DELETE", source)
    async with works.done_by(make):
        job = await ended(desk, trashed)
    assert (job["status"], job["error"]["code"]) == ("failed", "NOT_FOUND")
    assert await made(desk) == []
    assert await made(desk, desk.viewer) == []


async def test_many_forks_at_once_are_all_whole(desk: Desk) -> None:
    source = await desk.project(isPublic=True)
    for number in range(5):
        await desk.put(source, f"f{number}", f"{number}")
    whole = await tree(desk, source)
    paths = await asyncio.gather(*[copied(desk, source, "fork", desk.stranger) for _ in range(10)])
    assert len(set(paths)) == 10
    for path in paths:
        assert await tree(desk, path, desk.stranger) == whole
