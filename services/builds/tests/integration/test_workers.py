"""Workers that are interrupted: by users, by operators, by accident."""

import asyncio
import signal
import time

# far more than it takes: this is no measurement
_PATIENCE_S = 20.0
_GAME = {"index.html": "<script type=module src=src/main.ts></script>", "src/main.ts": "alert(1)"}


async def _gone(sandboxes, build):
    until = time.monotonic() + _PATIENCE_S
    while sandboxes(build):
        assert time.monotonic() < until, "A sandbox is still there."
        await asyncio.sleep(0.05)


async def _attempted(desk, build, attempt):
    pool = desk.db._pool  # noqa: SLF001 - nobody else sees the attempts
    query = "SELECT attempt FROM build WHERE id = $1"
    until = time.monotonic() + _PATIENCE_S
    while (await pool.fetchrow(query, build["id"]))[0] < attempt:
        assert time.monotonic() < until, "Nobody took the build."
        await asyncio.sleep(0.05)


async def test_a_running_build_is_ended_with_all_its_processes(desk, slow, sandboxes):
    build = await desk.start(await desk.project(slow(250)))
    await desk.until(build, "building", "check")
    assert sandboxes(build)
    path = f"/api/v1/builds/{build['id']}"
    answer = await desk.call("POST", f"{path}/cancel")
    assert answer.json()["data"]["status"] == "cancelled"
    await _gone(sandboxes, build)
    after = (await desk.call("GET", path)).json()["data"]
    assert (after["status"], after["artifacts"]) == ("cancelled", [])


async def test_a_build_that_is_deleted_meanwhile_is_ended(desk, slow, sandboxes):
    build = await desk.start(await desk.project(slow(250)))
    await desk.until(build, "building", "check")
    assert (await desk.call("DELETE", f"/api/v1/builds/{build['id']}")).status_code == 204
    await _gone(sandboxes, build)


async def test_a_worker_that_dies_is_replaced_once(desk, slow, company, sandboxes):
    build = await desk.start(await desk.project(slow(250)))
    for attempt in (1, 2):
        await _attempted(desk, build, attempt)
        await desk.until(build, "building", "check")
        company.stop("worker", signal.SIGKILL)
        await _gone(sandboxes, build)
        company.start("worker")
    ended = await desk.ended(build)
    assert (ended["status"], ended["errorCode"]) == ("failed", "WORKER_LOST")


async def test_a_worker_that_is_stopped_gives_its_build_back(desk, slow, company, sandboxes):
    build = await desk.start(await desk.project(slow(40)))
    await desk.until(build, "building", "check")
    company.stop("worker")
    await _gone(sandboxes, build)
    path = f"/api/v1/builds/{build['id']}"
    assert (await desk.call("GET", path)).json()["data"]["status"] == "queued"
    pool = desk.db._pool  # noqa: SLF001 - nobody else sees the attempts
    assert await pool.fetchval("SELECT attempt FROM build WHERE id = $1", build["id"]) == 0
    company.start("worker")
    assert (await desk.ended(build))["status"] == "success"


async def test_the_same_job_twice_is_done_once(desk):
    build = await desk.ended(await desk.start(await desk.project(_GAME)))
    pool = desk.db._pool  # noqa: SLF001 - the queue has no other door
    await pool.execute(
        "INSERT INTO outbox (id, subject, key, data) SELECT gen_random_uuid(), subject, key, data"
        " FROM outbox WHERE key = $1 AND subject LIKE 'jobs.%'",
        build["id"],
    )
    other = await desk.ended(await desk.start(await desk.project(_GAME)))
    assert other["status"] == "success", other
    after = (await desk.call("GET", f"/api/v1/builds/{build['id']}")).json()["data"]
    assert after["completedAt"] == build["completedAt"]


async def test_a_job_that_was_lost_is_asked_for_again(desk, company):
    company.stop("worker")
    build = await desk.start(await desk.project(_GAME))
    pool = desk.db._pool  # noqa: SLF001 - a queue's disk is lost only here
    await pool.execute(
        "UPDATE build SET requested_at = now() - interval '1 hour', worker_id = NULL WHERE id = $1",
        build["id"],
    )
    company.start("worker")
    assert (await desk.ended(build))["status"] == "success"


async def test_a_machine_that_cannot_build_safely_says_so_and_does_not_build(desk, company):
    company.stop("worker")
    try:
        company.start("worker", wait=False, TOOLCHAIN_DIR="/nowhere")
        build = await desk.ended(await desk.start(await desk.project(_GAME)))
        assert (build["status"], build["errorCode"]) == ("failed", "SANDBOX_UNAVAILABLE")
        assert "toolchain" in build["errorMessage"]
        assert company.health("worker") == 503
    finally:
        company.stop("worker")
        company.start("worker")
