"""What is measured: the queue by the service, the work by the workers."""

import asyncio
import re
from uuid import UUID

import httpx

from builds.metrics import meters
from builds.runs import service

_GAME = {"index.html": "<script type=module src=src/main.ts></script>", "src/main.ts": "alert(1)"}


async def _metrics(desk, process):
    answer = await desk.client.get(f"{desk.company.url(process)}/metrics")
    assert answer.status_code == httpx.codes.OK
    found = re.findall(r"^(\w+(?:\{.*\})?) ([\d.e+-]+)$", answer.text, re.MULTILINE)
    return {name: float(value) for name, value in found}


async def test_the_queue_is_measured_when_somebody_looks(desk, company):
    company.stop("worker")
    try:
        await desk.start(await desk.project(_GAME))
        found = await _metrics(desk, "builds")
        assert found["worldloom_builds_waiting"] >= 1
        assert found["worldloom_builds_queue_age_seconds"] > 0
        assert found["worldloom_builds_running"] >= 0
        assert found['worldloom_builds_cache_total{result="miss"}'] >= 1
    finally:
        company.start("worker")


async def test_a_worker_counts_its_steps_and_how_builds_end(desk):
    await desk.built(_GAME)
    await desk.built(_GAME | {"src/main.ts": "const a: number = 'a';"})
    found = await _metrics(desk, "worker")
    for labels in ('status="success",step="fetch"', 'status="failed",step="check"'):
        assert found[f"worldloom_builds_step_duration_seconds_count{{{labels}}}"] >= 1
    assert found['worldloom_builds_ended_total{code="",status="success"}'] >= 1
    assert found['worldloom_builds_ended_total{code="TYPE_ERROR",status="failed"}'] >= 1


async def _count(desk, process, name):
    return (await _metrics(desk, process)).get(f"worldloom_builds_{name}", 0.0)


async def test_a_cancelled_build_has_no_step_that_failed(desk, slow, sandboxes):
    name = 'step_duration_seconds_count{status="failed",step="check"}'
    await desk.built(_GAME | {"src/main.ts": "const a: number = 'a';"})
    before = await _count(desk, "worker", name)
    build = await desk.start(await desk.project(slow(250)))
    await desk.until(build, "building", "check")
    assert sandboxes(build)
    await desk.call("POST", f"/api/v1/builds/{build['id']}/cancel")
    for _ in range(200):
        if not sandboxes(build):
            break
        await asyncio.sleep(0.05)
    # the worker is through with the one when it has done another
    await desk.built(_GAME)
    assert await _count(desk, "worker", name) == before


async def test_a_build_that_ends_because_it_is_deleted_is_counted(desk, company):
    name = 'ended_total{code="",status="cancelled"}'
    company.stop("worker")
    try:
        build = await desk.start(await desk.project(_GAME))
        before = await _count(desk, "builds", name)
        await desk.call("DELETE", f"/api/v1/builds/{build['id']}")
        assert await _count(desk, "builds", name) == before + 1
    finally:
        company.start("worker")


async def test_a_build_that_ends_with_its_users_right_is_counted(desk, company):
    name = "worldloom_builds_ended_total"
    labels = {"code": "ACCESS_LOST", "status": "cancelled"}
    company.stop("worker")
    try:
        project = await desk.project(_GAME)
        await desk.start(project)
        before = meters.REGISTRY.get_sample_value(name, labels) or 0
        desk.owner = desk.stranger
        await desk.access(project)
        await service.end_barred(desk.db, UUID(project))
        assert meters.REGISTRY.get_sample_value(name, labels) == before + 1
    finally:
        company.start("worker")
