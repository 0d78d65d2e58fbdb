"""Whose turn it is, and who waits for nothing any more."""

import asyncio
from uuid import UUID

import msgspec

from builds.runs import creation, superseding
from builds.types import Manifest, Options
from common.contracts.builds import BuildQueued, BuildSuperseded
from common.ids import uuid7

_PAGE = '<!doctype html><body><script type="module" src="src/main.ts"></script></body>'


def _game(title):
    return {"index.html": _PAGE, "src/main.ts": f"document.title = '{title}';\n"}


async def _statuses(desk, builds):
    found = [await desk.call("GET", f"/api/v1/builds/{b['id']}") for b in builds]
    return [answer.json()["data"]["status"] for answer in found]


async def test_of_five_builds_the_running_one_goes_on_and_the_newest_follows(desk, slow):
    project = await desk.project(slow(40))
    builds = [await desk.start(project)]
    await desk.until(builds[0], "building", "check")
    for number in range(4):
        await desk.write(project, {"src/note.ts": f"export const n = {number};\n"})
        builds.append(await desk.start(project))
        if number == 0:
            # whoever is quick enough to take it may have it
            await desk.call("POST", f"/api/v1/builds/{builds[1]['id']}/cancel")
    ended = [await desk.ended(build) for build in builds]
    assert ended[0]["status"] == ended[-1]["status"] == "success"
    assert {b["status"] for b in ended[1:-1]} <= {"cancelled", "superseded", "success"}


async def test_older_builds_that_wait_are_superseded_and_say_so(desk, company):
    project = await desk.project(_game("0"))
    company.stop("worker")
    try:
        builds = []
        for number in range(4):
            await desk.write(project, _game(number))
            builds.append(await desk.start(project))
        other_way = await desk.start(project, options={"minify": False})
        assert await _statuses(desk, builds) == ["superseded"] * 3 + ["queued"]
        log = await desk.call(
            "GET", f"/api/v1/builds/{builds[0]['id']}/logs", accept="text/event-stream"
        )
        assert "event: end" in log.text
        seen = (await desk.call("GET", f"/api/v1/builds/{builds[0]['id']}")).json()["data"]
        assert seen["completedAt"]
    finally:
        company.start("worker")
    assert (await desk.ended(builds[-1]))["status"] == "success"
    assert (await desk.ended(other_way))["status"] == "success"
    pool = desk.db._pool  # noqa: SLF001 - the outbox has no other reader
    (row,) = await pool.fetch(
        "SELECT data::text FROM outbox WHERE key = $1 AND subject = $2",
        builds[0]["id"],
        BuildSuperseded.subject,
    )
    told = msgspec.json.decode(row["data"], type=BuildSuperseded)
    assert (str(told.superseded_by), str(told.project_id)) == (builds[1]["id"], project)
    again = await desk.call("POST", f"/api/v1/builds/{builds[0]['id']}/retry")
    assert again.status_code == 201


async def test_what_is_wanted_for_itself_is_not_superseded(desk, company):
    broken = {"index.html": _PAGE, "src/main.ts": "const x: number = 'a';\nexport { x };\n"}
    project = await desk.project(broken)
    failed = await desk.ended(await desk.start(project))
    company.stop("worker")
    try:
        retried = await desk.call("POST", f"/api/v1/builds/{failed['id']}/retry")
        named = await desk.start(project, at=1)
        body = {"projectId": project, "target": "web"}
        key = {"idempotency_key": "the-same-build-again"}
        first = await desk.call("POST", "/api/v1/builds", json=body, **key)
        other = await desk.start(await desk.project(broken))
        replayed = await desk.call("POST", "/api/v1/builds", json=body, **key)
        assert first.json()["data"]["id"] == replayed.json()["data"]["id"]
        waiting = [retried.json()["data"], named, first.json()["data"], other]
        assert await _statuses(desk, waiting) == ["queued"] * 4
    finally:
        company.start("worker")
    for build in waiting:
        await desk.ended(build)


async def test_of_builds_wanted_at_one_moment_the_newest_is_done(desk, company):
    project = await desk.project(_game("0"))
    company.stop("worker")
    try:
        builds = await asyncio.gather(*[desk.start(project) for _ in range(5)])
    finally:
        company.start("worker")
    ended = [await desk.ended(build) for build in builds]
    assert sorted(b["status"] for b in ended) == ["success"] + ["superseded"] * 4


async def test_an_older_tree_that_comes_late_gives_way_to_the_newer_one(desk, company):
    project = await desk.project(_game("0"))
    late = BuildQueued(
        build_id=uuid7(),
        project_id=UUID(project),
        user_id=desk.owner,
        target="web",
        source_tree="",
    )
    company.stop("worker")
    try:
        newer = await desk.start(project)
        # as a request writes it that asked for the tree before, and for the assets until now
        made = await creation.create(
            desk.db, late, Options(), Manifest(0, [], []), at=None, key=None
        )
        assert made is not None
        assert made.superseded == []
        builds = [newer, {"id": str(late.build_id)}]
        assert await _statuses(desk, builds) == ["queued", "queued"]
        assert late.build_id in await superseding.outdate(desk.db)
        assert await _statuses(desk, builds) == ["queued", "superseded"]
    finally:
        company.start("worker")
    assert (await desk.ended(newer))["status"] == "success"


async def test_whoever_wants_much_does_not_keep_others_waiting(desk, company):
    crowd = await desk.project(_game("crowd"))
    await desk.access(crowd)
    company.stop("worker")
    try:
        many = [await desk.start(crowd, at=1), await desk.start(crowd, at=1)]
        many += [await desk.start(crowd, at=1) for _ in range(3)]
        one = await desk.start(crowd, desk.editor, at=1)
    finally:
        company.start("worker", BUILDS_AT_ONCE="1")
    try:
        ended = [await desk.ended(build) for build in [*many, one]]
    finally:
        company.stop("worker")
        company.start("worker")
    *theirs, mine = [b["startedAt"] for b in ended]
    assert theirs == sorted(theirs)
    assert sum(begun < mine for begun in theirs) == 1


async def test_each_worker_takes_another_build(desk, company):
    projects = [await desk.project(_game(number)) for number in range(6)]
    company.start("worker-other")
    try:
        builds = [await desk.start(project) for project in projects]
        ended = [await desk.ended(build) for build in builds]
    finally:
        company.stop("worker-other")
    assert {b["status"] for b in ended} == {"success"}
    pool = desk.db._pool  # noqa: SLF001 - the outbox has no other reader
    for build in builds:
        query = "SELECT count(*) FROM outbox WHERE key = $1 AND subject LIKE '%.started.v1'"
        assert await pool.fetchval(query, build["id"]) == 1
