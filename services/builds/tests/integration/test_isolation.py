"""Workers that are told which sandbox to build in."""

import os
import signal

import pytest
from services.builds.tests.attacks import LIMITS, shell

from builds.sandbox.none import Nothing

_PAGE = "<script type=module src=src/main.ts></script>"
_GAME = {"index.html": _PAGE, "src/main.ts": "import { a } from './a'; alert(a);\n"} | {
    "src/a.ts": "export const a: number = 1;\n"
}


@pytest.fixture
def told(company):
    """Start the worker with other settings; as it was before afterwards."""
    company.stop("worker")
    yield lambda **settings: company.start("worker", wait=False, **settings)
    company.stop("worker")
    company.start("worker")


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"SANDBOX": "container", "SANDBOX_ENGINE": "no-such-engine"}, "no-such-engine"),
        ({"SANDBOX": "kubernetes", "SANDBOX_ACCOUNT": "/nowhere"}, "no account of the cluster"),
        ({"SANDBOX": "chroot"}, "not one of bubblewrap"),
    ],
)
async def test_a_worker_without_its_sandbox_builds_nothing_and_says_why(
    desk, company, told, settings, reason
):
    told(**settings)
    build = await desk.built(_GAME)
    assert (build["status"], build["errorCode"]) == ("failed", "SANDBOX_UNAVAILABLE")
    assert reason in build["errorMessage"]
    assert company.health("worker") == 503


async def test_a_worker_without_any_sandbox_is_loud(desk, company, told):
    told(SANDBOX="none")
    build = await desk.built(_GAME)
    assert build["status"] == "success", build
    assert {a["name"] for a in build["artifacts"]} == {"web.zip"}
    logs = await desk.call("GET", f"/api/v1/builds/{build['id']}/logs", accept="text/plain")
    assert "NOT isolated" in logs.text
    answer = await desk.client.get(f"{company.url('worker')}/health/ready")
    found = {d["name"]: d["isUp"] for d in answer.json()["dependencies"]}
    assert answer.status_code == 200
    assert (found["sandbox"], found["isolation"]) == (True, False)


async def test_a_worker_in_a_sandbox_is_not_loud(desk, company):
    build = await desk.built({"src/main.ts": "let = ;", "index.html": _PAGE})
    assert build["errorCode"] == "TYPE_ERROR"
    logs = await desk.call("GET", f"/api/v1/builds/{build['id']}/logs", accept="text/plain")
    assert "isolated" not in logs.text
    answer = await desk.client.get(f"{company.url('worker')}/health/ready")
    found = {d["name"]: d["isUp"] for d in answer.json()["dependencies"]}
    assert found["isolation"] is True


async def test_without_a_sandbox_time_and_output_have_limits_and_nothing_stays(tmp_path):
    sandbox = Nothing()
    await sandbox.prepare()

    async def run(script, **more):
        return await sandbox.run(shell(script, **more), LIMITS, lambda _: None)

    assert (await run("sleep 60 & sleep 60")).verdict == "timed_out"
    assert (await run("while :; do echo flood; done")).verdict == "log_flood"
    assert (await run("exit 7")).code == 7
    target = tmp_path / "out.tar"
    made = await run("mkdir /o/out; exit 1", takes="/o/out", output=target)
    assert not made.succeeded
    left = await run("sleep 60 & echo $!")
    assert left.succeeded
    with pytest.raises(ProcessLookupError):
        os.kill(int(left.log), signal.SIGCONT)
