"""What nothing needs goes, and nothing else: beside whoever uploads, deletes and restores."""

import asyncio
import itertools
from contextlib import suppress
from datetime import UTC, datetime

import msgspec
import pytest
from services.assets.tests.conftest import Desk

from assets.blobs import service as blobs
from assets.collection import events
from assets.collection import service as collection
from common.bus import Bus, Listener
from common.contracts.base import CloudEvent
from common.contracts.projects import ProjectDeleted
from common.errors import NotFoundError
from common.ids import uuid7


@pytest.fixture
async def soon(serving, projects, desk):
    """The service, where what nothing needs is collected at once."""
    assert await projects.is_ready()
    now = {"COLLECT_AFTER_S": "0", "COLLECT_PURGED_AFTER_S": "0"}
    # where many want a connection at once, none is refused one
    patient = {"POOL_WAIT_S": "30", "STATEMENT_S_MAX": "30"}
    async with serving(**now, **patient) as client:
        desk.client = client
        yield desk


def collect(desk: Desk):
    """Take one turn."""
    return collection.collect(desk.means())


async def made(desk, project, name, content):
    """One asset of the owner's."""
    answer = await desk.upload(desk.owner, project, content, name)
    assert answer.status_code in {200, 201}, answer.text
    return answer.json()["data"]


async def delete(desk, asset):
    """Delete an asset, whoever uses it."""
    path = f"/api/v1/assets/{asset['id']}?force=true"
    assert (await desk.call("DELETE", path, desk.owner)).status_code == 204


async def garbage(desk, project, user=None):
    """What the next turn would delete."""
    path = f"/api/v1/projects/{project}/assets/garbage"
    answer = await desk.call("GET", path, user or desk.owner)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def stored(desk, project, *contents):
    """Which of the contents the object store has."""
    found = []
    for content in contents:
        with suppress(NotFoundError):
            await desk.means().storage.head("assets", f"{project}/{desk.sha256(content)}")
            found.append(content)
    return found


async def test_what_was_deleted_and_nothing_names_goes_for_good(soon, projects):
    project = await soon.written(projects, a="nothing")
    contents = [b"\1 one", b"\1 two", b"\1 three"]
    asset = await made(soon, project, "a.bin", contents[0])
    await soon.version(soon.owner, asset["id"], contents[1], "a.bin")
    await made(soon, project, "b.bin", contents[2])
    await collect(soon)
    assert await stored(soon, project, *contents) == contents
    await delete(soon, asset)
    dry = await garbage(soon, project)
    assert (dry["bytes"], dry["count"], dry["used"]) == (10, 2, 17)
    assert {one["sha256"] for one in dry["blobs"]} == {soon.sha256(c) for c in contents[:2]}
    assert [one["name"] for one in dry["assets"]] == ["a.bin"]
    assert dry["kept"] == {
        "inLibrary": 1,
        "recentlyDeleted": 0,
        "mentioned": 0,
        "recentlyStored": 0,
    }
    # that was a look and no more
    assert await stored(soon, project, *contents) == contents
    await collect(soon)
    assert await stored(soon, project, *contents) == contents[2:]
    after = await garbage(soon, project)
    assert (after["bytes"], after["assets"], after["used"]) == (0, [], 7)
    path = f"/api/v1/assets/{asset['id']}/restore"
    assert (await soon.call("POST", path, soon.owner)).status_code == 404


async def test_the_compressed_copies_of_a_text_go_with_it(soon, projects):
    project = await soon.written(projects, a="nothing")
    content = b"text that nothing names. " * 100
    asset = await made(soon, project, "a.txt", content)
    led = await soon.call("GET", f"/api/v1/assets/{asset['id']}/download", soon.owner)
    address = led.headers["location"].removeprefix("http://localhost:8080")
    keys = [f"{project}/{asset['sha256']}{end}" for end in ("", ".br", ".gzip")]
    for coding in ("br", "gzip"):
        answer = await soon.call("GET", address, None, accept_encoding=coding)
        assert answer.content == content
    for key in keys:
        await soon.means().storage.head("assets", key)
    await delete(soon, asset)
    assert (await soon.call("GET", address, None)).status_code == 410
    await collect(soon)
    assert (await soon.call("GET", address, None)).status_code == 404
    for key in keys:
        with pytest.raises(NotFoundError):
            await soon.means().storage.head("assets", key)


async def test_what_a_text_of_the_past_names_stays(soon, projects):
    project = await soon.written(projects, a="assets/a.bin", b="nothing")
    content, other = b"\1 named", b"\1 named once more"
    asset = await made(soon, project, "a.bin", content)
    await soon.version(soon.owner, asset["id"], other, "a.bin")
    checkpoint = f"/api/v1/projects/{project}/checkpoints"
    assert (
        await projects.call("POST", checkpoint, soon.owner, sends={"name": "before"})
    ).status_code == 201
    await soon.write(projects, project, "a", "nothing any more")
    await soon.call("DELETE", f"/api/v1/assets/{asset['id']}", soon.owner)
    dry = await garbage(soon, project)
    assert (dry["bytes"], dry["assets"], dry["kept"]["mentioned"]) == (0, [], 1)
    for _ in range(2):
        await collect(soon)
        assert await stored(soon, project, content, other) == [content, other]
    assert (await garbage(soon, project))["kept"]["mentioned"] == 1
    back = await soon.call("POST", f"/api/v1/assets/{asset['id']}/restore", soon.owner)
    assert back.json()["data"]["version"] == 2


async def test_what_was_deleted_or_sent_a_short_while_ago_stays(desk, projects):
    project = await desk.written(projects)
    content, lost = b"\1 just now", b"\1 lost"
    asset = await made(desk, project, "a.bin", content)
    await desk.call("DELETE", f"/api/v1/assets/{asset['id']}", desk.owner)
    await blobs.claim(desk.means(), project, desk.sha256(lost), len(lost))
    await collect(desk)
    assert await stored(desk, project, content) == [content]
    dry = await garbage(desk, project)
    assert (dry["bytes"], dry["used"]) == (0, len(content) + len(lost))
    assert (dry["kept"]["recentlyDeleted"], dry["kept"]["recentlyStored"]) == (1, 1)


async def test_bytes_that_another_asset_has_stay(soon, projects):
    project, other = await soon.written(projects), await soon.written(projects)
    content = b"\1 shared"
    first = await made(soon, project, "a.bin", content)
    await made(soon, project, "b.bin", content)
    await made(soon, other, "a.bin", content)
    await delete(soon, first)
    await collect(soon)
    assert await stored(soon, project, content) == [content]
    second = (await soon.listed(project))[0]
    await delete(soon, second)
    await collect(soon)
    assert await stored(soon, project, content) == []
    assert await stored(soon, other, content) == [content]


async def test_an_upload_that_came_to_nothing_goes_and_its_room_is_free(soon, projects):
    project = await soon.written(projects)
    await made(soon, project, "a.bin", b"\1 taken")
    content = b"\1 under a taken name"
    assert (await soon.upload(soon.owner, project, content, "a.bin")).status_code == 409
    assert await stored(soon, project, content) == [content]
    assert (await garbage(soon, project))["bytes"] == len(content)
    await collect(soon)
    assert await stored(soon, project, content) == []
    assert (await garbage(soon, project))["used"] == len(b"\1 taken")


async def test_uploads_of_the_same_bytes_beside_the_collector_lose_nothing(soon, projects):
    project = await soon.written(projects)
    contents = [b"\1 %d" % number for number in range(4)]
    number = itertools.count()

    async def come_and_go(content):
        name = f"{next(number)}.bin"
        for _ in range(5):
            answer = await soon.upload(soon.owner, project, content, name)
            # what was collected each time it was stored is worth trying again
            assert answer.status_code in {200, 201, 503}, answer.text
            if answer.status_code == 503:
                continue
            assert await stored(soon, project, content) == [content]
            await delete(soon, answer.json()["data"])
        return await soon.upload(soon.owner, project, content, name)

    over = asyncio.Event()

    async def collecting():
        while not over.is_set():
            await collect(soon)
            await asyncio.sleep(0)

    collectors = [asyncio.create_task(collecting()) for _ in range(2)]
    try:
        answers = await asyncio.gather(*[come_and_go(content) for content in contents * 2])
    finally:
        over.set()
        await asyncio.gather(*collectors)
    there = {a["name"]: a["sha256"] for a in await soon.listed(project, "limit=100")}
    assert len(there) == sum(a.status_code == 201 for a in answers) > 0
    await collect(soon)
    for asset in await soon.listed(project, "limit=100"):
        [content] = [c for c in contents if soon.sha256(c) == asset["sha256"]]
        assert await stored(soon, project, content) == [content]
    used = sum({a["sha256"]: a["size"] for a in await soon.listed(project)}.values())
    assert (await garbage(soon, project))["used"] == used


async def test_who_restores_beside_the_collector_has_all_or_nothing(soon, projects):
    project = await soon.written(projects)
    for turn in range(8):
        content = b"\1 turn %d" % turn
        asset = await made(soon, project, f"{turn}.bin", content)
        await delete(soon, asset)
        path = f"/api/v1/assets/{asset['id']}/restore"
        _, answer = await asyncio.gather(collect(soon), soon.call("POST", path, soon.owner))
        await collect(soon)
        assert answer.status_code in {200, 404}
        is_back = answer.status_code == 200
        assert await stored(soon, project, content) == [content] * is_back
        assert len(await soon.listed(project, f"q={turn}.bin")) == is_back


async def test_without_the_projects_service_nothing_is_collected_that_it_knows_about(
    serving, desk, projects
):
    project = await desk.written(projects)
    content = b"\1 nobody can tell"
    asset = await made(desk, project, "a.bin", content)
    await delete(desk, asset)
    away = {"COLLECT_AFTER_S": "0", "PROJECTS_URL": "http://127.0.0.1:9"}
    async with serving(**away) as client:
        desk.client = client
        await collect(desk)
        assert await stored(desk, project, content) == [content]
        answer = await desk.call("GET", f"/api/v1/projects/{project}/assets/garbage", desk.owner)
        assert answer.status_code == 503
        back = await desk.call("POST", f"/api/v1/assets/{asset['id']}/restore", desk.owner)
        assert back.status_code == 200


async def test_without_the_object_store_nothing_is_forgotten(serving, desk, projects):
    project = await desk.written(projects)
    content = b"\1 still there"
    asset = await made(desk, project, "a.bin", content)
    await delete(desk, asset)
    usual = desk.client
    async with serving(COLLECT_AFTER_S="0", S3_ENDPOINT_URL="http://127.0.0.1:9") as client:
        desk.client = client
        with pytest.raises(Exception, match="Not available"):
            await collect(desk)
    async with serving(COLLECT_AFTER_S="0") as client:
        desk.client = client
        assert (await garbage(desk, project))["bytes"] == len(content)
        await collect(desk)
        assert await stored(desk, project, content) == []
    desk.client = usual


async def test_a_purged_project_loses_everything(soon, projects):
    project, other = await soon.written(projects, a="assets/a.bin"), await soon.written(projects)
    content = b"\1 of a project"
    await made(soon, project, "a.bin", content)
    await made(soon, other, "a.bin", content)
    path = f"/api/v1/projects/{project}"
    assert (await projects.call("DELETE", path, soon.owner)).status_code == 204
    await collect(soon)
    # in the trash it may come back
    assert await stored(soon, project, content) == [content]
    assert (await projects.call("DELETE", f"{path}?purge=true", soon.owner)).status_code == 204
    await hears(soon, project)
    await collect(soon)
    assert await stored(soon, project, content) == []
    assert await stored(soon, other, content) == [content]
    assert await left(soon, project) == 0
    # and it is not told twice
    await hears(soon, project)
    await collect(soon)
    assert await left(soon, project) == 0
    assert (await soon.upload(soon.owner, project, content, "b.bin")).status_code in {404, 503}


async def test_a_purge_that_was_not_heard_of_is_found(soon, projects):
    project = await soon.written(projects)
    content = b"\1 unheard"
    await made(soon, project, "a.bin", content)
    await soon.access(project, version=1_000, is_deleted=True)
    await collect(soon)
    assert await stored(soon, project, content) == [content]
    path = f"/api/v1/projects/{project}?purge=true"
    assert (await projects.call("DELETE", path, soon.owner)).status_code == 204
    await collect(soon)
    assert await stored(soon, project, content) == []
    assert await left(soon, project) == 0


async def hears(desk, project):
    """Let the service hear of a purge, as the bus brings it."""
    fact = ProjectDeleted(project_id=project, actor_id=desk.owner, purged=True)
    event = CloudEvent(
        id=uuid7(),
        source="/projects",
        type=fact.subject,
        subject=str(project),
        time=datetime(2026, 1, 1, tzinfo=UTC),
        data=fact,
    )
    bus = Bus("assets", "", "", "")
    listener = Listener("assets", bus, desk.client.app.state.db, events.SUBSCRIPTIONS)
    await listener.act(fact.subject, msgspec.json.encode(event))
    await desk.access(project, version=2_000, is_deleted=True)


async def left(desk, project):
    """How many rows speak of a project."""
    pool = desk.client.app.state.db._pool  # noqa: SLF001 - nobody else can see them
    counts = [
        await pool.fetchval(f"SELECT count(*) FROM {table} WHERE project_id = $1", project)  # noqa: S608 - the tables below
        for table in ("asset", "asset_version", "blob", "library")
    ]
    return sum(counts)


@pytest.mark.parametrize("role", ["editor", "commenter", "viewer", "stranger"])
async def test_only_an_owner_sees_the_garbage(desk, role):
    project = await desk.project(is_public=True)
    path = f"/api/v1/projects/{project}/assets/garbage"
    assert (await desk.call("GET", path, getattr(desk, role))).status_code == 403
    await desk.access(project, version=2)
    status = 404 if role == "stranger" else 403
    assert (await desk.call("GET", path, getattr(desk, role))).status_code == status
    assert (await desk.call("GET", path, desk.owner)).status_code == 200
    assert (await desk.call("GET", path, None)).status_code == 401
