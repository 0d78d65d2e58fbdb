"""What is measured: the queue by the service, the work by the workers."""

import re

import httpx

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
