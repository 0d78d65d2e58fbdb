"""What a process has counted."""

from builds.metrics import meters, service


async def _text(accept=""):
    content, media_type = await service.exposed(None, accept)
    return content.decode(), media_type


async def test_what_is_counted_is_told_in_the_form_that_is_asked_for():
    meters.ended("failed", "TYPE_ERROR")
    meters.step_ended("check", "failed", 0.2)
    meters.wanted(is_cached=False)
    text, media_type = await _text()
    assert media_type.startswith("text/plain")
    assert 'worldloom_builds_ended_total{code="TYPE_ERROR",status="failed"} 1.0' in text
    assert 'worldloom_builds_cache_total{result="miss"}' in text
    assert 'worldloom_builds_step_duration_seconds_count{status="failed",step="check"}' in text
    text, media_type = await _text("application/openmetrics-text; version=1.0.0")
    assert media_type.startswith("application/openmetrics-text")
    assert text.endswith("# EOF\n")


async def test_a_worker_says_nothing_of_a_queue_that_it_did_not_look_at():
    assert "worldloom_builds_waiting" not in (await _text())[0]
