"""Files that are open live while collab is away: never an older text, and nothing half done."""

from collections.abc import AsyncGenerator

import httpx
import pytest
from services.projects.tests.desk import Desk
from services.projects.tests.live import Live

from common.testing.apps import Serving

NOBODY = "http://127.0.0.1:9"


@pytest.fixture
async def alone(serve: Serving) -> AsyncGenerator[Desk]:
    """The service, with nobody where collab is to be."""
    async with serve(COLLAB_URL=NOBODY) as client:
        yield Desk(client)


@pytest.fixture
async def project(alone: Desk) -> str:
    """A project in which one file is open live, and another is not."""
    made = await alone.staffed()
    await alone.put(made, "src/open.txt", "one")
    await alone.put(made, "src/open.txt", "two")
    await alone.put(made, "other.txt", "one")
    await Live(alone, made).open("src/open.txt")
    return made


def is_away(answer: httpx.Response) -> bool:
    """Whether it is to be tried again."""
    return answer.status_code == 503 and answer.headers["retry-after"] == "1"


async def seq(desk: Desk, project: str) -> int:
    """How far the history has got."""
    feed = await desk.call("GET", f"{project}/history?limit=1")
    found: int = feed.json()["data"][0]["seq"]
    return found


@pytest.mark.parametrize("query", ["", "?raw=1"])
async def test_a_file_is_not_shown_as_it_was(alone: Desk, project: str, query: str) -> None:
    assert is_away(await alone.call("GET", f"{project}/files/src/open.txt{query}"))
    assert (await alone.call("GET", f"{project}/files/other.txt{query}")).is_success
    stranger = await alone.call("GET", f"{project}/files/src/open.txt{query}", alone.stranger)
    assert stranger.status_code == 404


async def test_what_reads_many_files_waits_for_what_was_typed(alone: Desk, project: str) -> None:
    reads = ["tree", "tree?prefix=src/&depth=1", "files", "files?cursor=", "export"]
    for path in reads:
        assert is_away(await alone.call("GET", f"{project}/{path}")), path
        stranger = await alone.call("GET", f"{project}/{path}", alone.stranger)
        assert stranger.status_code == 404, path
    for path, sends in (("checkpoints", {"name": "x"}), ("duplicate", {}), ("fork", {})):
        assert is_away(await alone.call("POST", f"{project}/{path}", sends=sends)), path
        stranger = await alone.call("POST", f"{project}/{path}", alone.stranger, sends=sends)
        assert stranger.status_code == 404, path
    inside = f"/internal/projects/{project.rpartition('/')[2]}"
    assert is_away(await alone.client.call("POST", f"{inside}/pin"))


async def test_the_past_does_not_wait(alone: Desk, project: str) -> None:
    at = await seq(alone, project)
    inside = f"/internal/projects/{project.rpartition('/')[2]}"
    for path in (f"files/src/open.txt?at={at}", f"tree?at={at}", f"export?at={at}", "history"):
        assert (await alone.call("GET", f"{project}/{path}")).status_code == 200, path
    assert (await alone.client.call("GET", f"{inside}/tree?seq={at}")).status_code == 200
    named = await alone.call("POST", f"{project}/checkpoints", sends={"name": "x", "at": f"{at}"})
    assert named.status_code == 201


async def test_a_file_is_not_changed_behind_those_who_type(alone: Desk, project: str) -> None:
    at = await seq(alone, project)
    file = f"{project}/files/src/open.txt"
    sends = {"content": "three"}
    named = await alone.call("POST", f"{project}/checkpoints", sends={"name": "x", "at": "1"})
    checkpoint = f"checkpoints/{named.json()['data']['id']}/restore"
    version = {"path": "src/open.txt", "version": 1}
    answers = [
        await alone.call("PUT", file, sends=sends),
        # it may be there already, or be what was seen: who types knows
        await alone.call("PUT", file, sends={"content": "two"}),
        await alone.call("PUT", file, sends=sends, if_match='"never"'),
        await alone.call("POST", file, sends=sends),
        await alone.call("POST", file, sends=sends, idempotency_key="one"),
        await alone.call("DELETE", file),
        await alone.call("POST", f"{project}/restore-file", sends=version),
        await alone.call("POST", f"{project}/{checkpoint}"),
        *[await alone.batch(project, step) for step in touching()],
    ]
    assert [is_away(answer) for answer in answers] == [True] * len(answers)
    assert await seq(alone, project) == at
    viewer = await alone.call("PUT", file, alone.viewer, sends=sends)
    stranger = await alone.call("PUT", file, alone.stranger, sends=sends)
    assert (viewer.status_code, stranger.status_code) == (403, 404)


def touching() -> list[dict[str, str]]:
    """Steps of batches that read or change what is open live."""
    return [
        {"op": "update", "path": "src/open.txt", "content": "three"},
        {"op": "upsert", "path": "src/open.txt", "content": "three", "ifMatch": "never"},
        {"op": "delete", "path": "src/open.txt"},
        {"op": "delete", "path": "src"},
        {"op": "move", "path": "src/open.txt", "to": "moved.txt"},
        {"op": "move", "path": "src", "to": "lib"},
        {"op": "move", "path": "other.txt", "to": "src/open.txt"},
        {"op": "copy", "path": "src/open.txt", "to": "copied.txt"},
        {"op": "copy", "path": "src", "to": "lib"},
    ]


async def test_files_that_nobody_has_open_do_not_wait(alone: Desk, project: str) -> None:
    assert (await alone.put(project, "other.txt", "two")).status_code == 200
    assert (await alone.put(project, "src/new.txt", "two")).status_code == 201
    steps = [
        {"op": "copy", "path": "other.txt", "to": "lib/other.txt"},
        {"op": "move", "path": "src/new.txt", "to": "lib/new.txt"},
        {"op": "delete", "path": "other.txt"},
    ]
    assert (await alone.batch(project, *steps)).status_code == 200


async def test_a_project_goes_to_the_trash_all_the_same(alone: Desk, project: str) -> None:
    assert (await alone.call("DELETE", project)).status_code == 204
    assert (await alone.call("POST", f"{project}/restore")).status_code == 200
    assert is_away(await alone.call("GET", f"{project}/tree"))
    assert (await alone.call("DELETE", f"{project}?purge=true")).status_code == 204


async def test_once_it_is_closed_the_file_tells_all(alone: Desk, project: str) -> None:
    live = Live(alone, project)
    file_id = (await live.open("src/open.txt"))["fileId"]
    assert await live.write(file_id, 1, "two", "two, typed") == "written"
    assert is_away(await alone.put(project, "src/open.txt", "three"))
    assert await live.close(file_id) == 1
    assert await alone.text(project, "src/open.txt") == "two, typed"
    assert (await alone.put(project, "src/open.txt", "three")).status_code == 200


async def test_a_link_shows_nothing_older_either(alone: Desk, project: str) -> None:
    made = await alone.call("POST", f"{project}/share-links", sends={})
    shared = f"/api/v1/shared/{made.json()['data']['token']}"
    for path in ("files/src/open.txt", "files/src/open.txt?raw=1", "tree"):
        assert is_away(await alone.client.call("GET", f"{shared}/{path}")), path
    assert (await alone.client.call("GET", f"{shared}/files/other.txt")).is_success
