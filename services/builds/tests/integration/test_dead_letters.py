"""Jobs that nobody could do, and jobs that were lost: neither costs anybody a build."""

import asyncio
import signal
import time

import nats
import pytest

_SUBJECT = "jobs.build.requested.v1"
_LETTER = f"dead.builds.{_SUBJECT}"
_PATIENCE_S = 60.0
_GAME = {"index.html": "<script type=module src=src/main.ts></script>", "src/main.ts": "alert(1)"}


@pytest.fixture
async def admin(stores):
    """A connection that may do everything."""
    client = await nats.connect(
        f"nats://127.0.0.1:{stores.ports.nats}",
        user="admin",
        password=stores.secrets.nats["admin"],
        allow_reconnect=False,
    )
    yield client
    await client.close()


async def _empty(stream):
    """Wait until the queue has no job."""
    until = time.monotonic() + _PATIENCE_S
    while (await stream.stream_info("JOBS")).state.messages:
        assert time.monotonic() < until, "A job stays in the queue."
        await asyncio.sleep(0.2)


async def test_a_job_that_cannot_be_read_is_put_aside(desk, admin):
    letters = await admin.subscribe(_LETTER)
    stream = admin.jetstream()
    await stream.publish(_SUBJECT, b"{not a job")
    letter = await letters.next_msg(timeout=_PATIENCE_S)
    assert letter.data == b"{not a job"
    assert letter.headers["Worldloom-Consumer"] == "builds"
    assert "DecodeError" in letter.headers["Worldloom-Error"]
    await _empty(stream)
    build = await desk.built(_GAME)
    assert build["status"] == "success"


async def test_a_job_that_is_given_out_no_more_is_put_aside_and_its_build_is_done(
    desk, company, admin
):
    letters = await admin.subscribe(_LETTER)
    stream = admin.jetstream()
    await _empty(stream)
    most = (await stream.consumer_info("JOBS", "builds")).config.max_deliver
    company.stop("worker")
    try:
        build = await desk.start(await desk.project(_GAME))
        pull = await stream.pull_subscribe_bind(consumer="builds", stream="JOBS")
        for _ in range(most):
            (job,) = await pull.fetch(1, timeout=_PATIENCE_S)
            await job.nak()
        await pull.unsubscribe()
        company.start("worker", REQUEUE_AFTER_S="1")
        letter = await letters.next_msg(timeout=_PATIENCE_S)
        assert build["id"] in letter.data.decode()
        assert str(most) in letter.headers["Worldloom-Error"]
        assert (await desk.ended(build))["status"] == "success"
        await _empty(stream)
    finally:
        company.stop("worker")
        company.start("worker")


async def test_jobs_that_were_lost_with_the_queue_are_asked_for_again(desk, company, admin):
    stream = admin.jetstream()
    await _empty(stream)
    company.stop("worker")
    try:
        builds = [await desk.start(await desk.project(_GAME)) for _ in range(3)]
        until = time.monotonic() + _PATIENCE_S
        while (await stream.stream_info("JOBS")).state.messages < len(builds):
            assert time.monotonic() < until, "The jobs do not come."
            await asyncio.sleep(0.1)
        await stream.purge_stream("JOBS")
    finally:
        company.start("worker", REQUEUE_AFTER_S="1")
    try:
        assert {(await desk.ended(build))["status"] for build in builds} == {"success"}
        await _empty(stream)
    finally:
        company.stop("worker")
        company.start("worker")


async def _until(holds):
    """Wait until something holds."""
    until = time.monotonic() + _PATIENCE_S
    while not holds():
        assert time.monotonic() < until, "It does not come to that."
        await asyncio.sleep(0.02)


async def test_a_build_that_no_worker_survives_is_put_aside(desk, slow, company, admin, sandboxes):
    letters = await admin.subscribe(_LETTER)
    build = await desk.start(await desk.project(slow(250)))
    for _ in range(2):
        # what the build says of itself is what the worker before said last
        await _until(lambda: sandboxes(build))
        company.stop("worker", signal.SIGKILL)
        await _until(lambda: not sandboxes(build))
        company.start("worker")
    letter = await letters.next_msg(timeout=_PATIENCE_S)
    assert build["id"] in letter.data.decode()
    assert "lost 2 times" in letter.headers["Worldloom-Error"]
    ended = await desk.ended(build)
    assert (ended["status"], ended["errorCode"]) == ("failed", "WORKER_LOST")
