"""What goes away while a build is at it: the worker, the store, the database."""

import asyncio
import random
import signal
from urllib.parse import urlsplit
from uuid import UUID

import httpx

from builds import places
from common.errors import NotFoundError
from common.ids import uuid7
from common.settings import StorageSettings, load
from common.storage import Storage

_PAGE = '<!doctype html><body><script type="module" src="src/main.ts"></script></body>'
_KILLS = 8
_ENDS = ("succeeded", "failed", "cancelled", "superseded")


def _game(title):
    return {"index.html": _PAGE, "src/main.ts": f"document.title = '{title}';\n"}


async def _events(desk, build):
    pool = desk.db._pool  # noqa: SLF001 - the outbox has no other reader
    query = "SELECT subject FROM outbox WHERE key = $1 ORDER BY position"
    return [r["subject"].split(".")[2] for r in await pool.fetch(query, build["id"])]


async def _status(desk, build):
    return (await desk.call("GET", f"/api/v1/builds/{build['id']}")).json()["data"]["status"]


async def _downloads(desk, build):
    answer = await desk.call("GET", f"/api/v1/builds/{build['id']}/artifacts/web.zip")
    signed = urlsplit(answer.headers["location"])
    store = desk.company.builds_env["S3_ENDPOINT_URL"]
    return await desk.client.get(
        f"{store}{signed.path}?{signed.query}", headers={"host": signed.netloc}
    )


async def test_a_worker_that_is_killed_again_and_again_loses_and_doubles_nothing(desk, company):
    chance = random.Random(7)  # noqa: S311 - when something is killed is no secret
    builds = []
    for number in range(_KILLS):
        builds.append(await desk.start(await desk.project(_game(number))))
        await asyncio.sleep(chance.uniform(0.0, 1.5))
        company.stop("worker", signal.SIGKILL)
        company.start("worker")
    ended = [await desk.ended(build) for build in builds]
    for build in ended:
        assert build["status"] == "success" or build["errorCode"] == "WORKER_LOST", build
        events = await _events(desk, build)
        assert len([e for e in events if e in _ENDS]) == 1, events
        assert 1 <= events.count("started") <= 2, events
        if build["status"] == "success":
            assert len(build["artifacts"]) == 1
            assert (await _downloads(desk, build)).status_code == httpx.codes.OK
    again = [await desk.start(build["projectId"]) for build in ended]
    assert {(await desk.ended(b))["status"] for b in again} == {"success"}


async def test_a_store_that_is_away_for_long_does_not_time_a_build_out(desk, company, stores):
    company.stop("worker")
    company.start("worker", BUILD_S_MAX="12")
    project = await desk.project(_game("s3"))
    stores.stop("s3")
    try:
        build = await desk.start(project)
        await desk.until(build, "building", "publish")
        await asyncio.sleep(13)
        assert await _status(desk, build) == "building"
    finally:
        stores.start("s3")
    ended = await desk.ended(build)
    assert ended["status"] == "success", ended
    log = await desk.call("GET", f"/api/v1/builds/{build['id']}/logs", accept="text/plain")
    assert "waits for it" in log.text
    assert (await _downloads(desk, ended)).status_code == httpx.codes.OK
    company.stop("worker")
    company.start("worker")


async def test_a_build_that_ends_while_the_database_is_away_is_told_of_later(
    desk, company, stores, slow
):
    company.stop("worker")
    company.start("worker", LEASE_LOST_S="15")
    build = await desk.start(await desk.project(slow(40)))
    await desk.until(build, "building", "check")
    stores.stop("postgres")
    try:
        await asyncio.sleep(10)
    finally:
        stores.start("postgres")
    ended = await desk.ended(build)
    assert (ended["status"], ended["errorCode"]) == ("success", None)
    assert (await _events(desk, build)).count("started") == 1
    company.stop("worker")
    company.start("worker")


async def test_objects_that_no_build_has_are_collected(desk, company):
    project = await desk.project(_game("kept"))
    build = await desk.ended(await desk.start(project))
    storage = Storage(load(StorageSettings, company.builds_env))
    await storage.open()
    lost = uuid7()
    gone = [places.page(lost, "index.html"), places.artifact(lost, "web.zip"), places.pack(lost)]
    kept = [f"{lost}/log.ndjson", places.pack(UUID(build["id"]))]
    for key in (*gone, kept[0]):
        await storage.put(places.BUCKET, key, b"x", content_type="text/plain")
    company.stop("worker")
    company.start("worker", ORPHANS_AFTER_S="0", ORPHANS_EVERY_S="0.1")
    try:
        found = [True]
        for _ in range(300):
            found = [await _is_there(storage, key) for key in gone]
            if not any(found):
                break
            await asyncio.sleep(0.1)
        assert found == [False, False, False]
        assert [await _is_there(storage, key) for key in kept] == [True, True]
    finally:
        await storage.close()
        company.stop("worker")
        company.start("worker")


async def _is_there(storage, key):
    try:
        await storage.head(places.BUCKET, key)
    except NotFoundError:
        return False
    return True
