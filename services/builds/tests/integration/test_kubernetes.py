"""The sandbox of a cluster: what its API is asked, and what comes of what it says.

The API is a double; what runs in its pods is the command of the job that was made.
"""

import asyncio
import re
import tarfile

import msgspec
import pytest
from services.builds.tests.attacks import LIMITS, shell
from services.builds.tests.cluster import TOKEN, Api, served

from builds.sandbox.cluster import Account
from builds.sandbox.kubernetes import Kubernetes
from builds.sandbox.manifest import Place
from builds.sandbox.types import Job, Mount, UnavailableSandboxError
from common.testing.waiting import until

_NAMESPACE = "worldloom-sandbox"
_PATIENT = msgspec.structs.replace(LIMITS, wall_s=30.0)


@pytest.fixture
def api():
    """A cluster."""
    return Api()


@pytest.fixture
async def sandbox(api, tmp_path):
    """The sandbox of a worker that has an account there."""
    account = tmp_path / "account"
    account.mkdir()
    (account / "token").write_text(f"{TOKEN}\n")
    async with served(api, _NAMESPACE) as address:
        yield Kubernetes(
            Account(address, _NAMESPACE, account), Place("image:1", "gvisor"), start_s=2.0
        )


async def _run(sandbox, script, limits=_PATIENT, **more):
    return await sandbox.run(shell(script, **more), limits, lambda _: None)


async def test_a_run_is_a_job_of_a_pod_that_has_nothing_and_is_gone_after(api, sandbox):
    await sandbox.prepare()
    (job,) = api.all
    assert not api.jobs
    assert api.deleted[0][1] == {"gracePeriodSeconds": 0, "propagationPolicy": "Background"}
    assert (job["apiVersion"], job["kind"]) == ("batch/v1", "Job")
    assert re.fullmatch(r"[a-z0-9-]{1,63}", job["metadata"]["name"])
    assert job["spec"]["backoffLimit"] == 0
    assert job["spec"]["activeDeadlineSeconds"] > 0
    assert job["spec"]["ttlSecondsAfterFinished"] > 0
    pod = job["spec"]["template"]["spec"]
    assert pod["runtimeClassName"] == "gvisor"
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    (container,) = pod["containers"]
    assert not {"env", "envFrom"} & set(container)
    assert container["resources"]["limits"].keys() == {"cpu", "memory", "ephemeral-storage"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert all(set(volume) == {"name", "emptyDir"} for volume in pod["volumes"])


async def test_sources_are_sent_and_what_was_made_comes_back(sandbox, tmp_path):
    tree, output = tmp_path / "tree", tmp_path / "out.tar"
    (tree / "src").mkdir(parents=True)
    content = b"0123456789abcdef" * 100_000
    (tree / "src/main.ts").write_bytes(content)
    (tree / "src/same.ts").hardlink_to(tree / "src/main.ts")
    script = "mkdir /o/out; cat src/main.ts src/same.ts > /o/out/both; echo done; echo again >&2"
    job = Job(
        command=("/t/busybox", "sh", "-c", script),
        mounts=(Mount(tree, "/p"), Mount(tree / "src/main.ts", "/t/tool")),
        takes="/o/out",
        output=output,
    )
    outcome = await sandbox.run(job, _PATIENT, lambda _: None)
    assert outcome.succeeded, outcome
    assert outcome.log == b"done\nagain\n"
    with tarfile.open(output) as tar:
        made = tar.extractfile("./both")
        assert made is not None
        assert made.read() == content * 2


async def test_what_a_tool_sees_of_its_environment_is_what_it_needs(sandbox):
    outcome = await _run(sandbox, "env")
    names = {line.partition("=")[0] for line in outcome.log.decode().splitlines()}
    expected = {"PATH", "HOME", "TMPDIR", "GOMAXPROCS", "GOMEMLIMIT", "PWD", "SHLVL", "OLDPWD"}
    assert names <= expected


@pytest.mark.parametrize(
    ("script", "verdict", "code"),
    [
        ("exit 3", "ended", 3),
        ("while :; do echo flood; done", "log_flood", 137),
    ],
)
async def test_an_end_is_told_as_it_was(api, sandbox, script, verdict, code):
    outcome = await _run(sandbox, script)
    assert (outcome.verdict, outcome.code) == (verdict, code)
    assert not api.jobs


async def test_time_is_up_for_a_pod_too(api, sandbox):
    outcome = await _run(sandbox, "sleep 60", msgspec.structs.replace(LIMITS, wall_s=1.5))
    assert outcome.verdict == "timed_out"
    (process,) = api.processes.values()
    await asyncio.wait_for(process.wait(), 10)


@pytest.mark.parametrize(
    ("status", "ending", "verdict"),
    [
        ({}, {"exitCode": 137, "reason": "OOMKilled"}, "memory"),
        ({"phase": "Failed", "reason": "Evicted"}, {"exitCode": 1}, "disk"),
        ({"phase": "Failed", "reason": "DeadlineExceeded"}, {"exitCode": 1}, "timed_out"),
    ],
)
async def test_what_the_cluster_ended_is_told_by_its_reason(api, sandbox, status, ending, verdict):
    api.status, api.ending = status, ending
    outcome = await _run(sandbox, "exit 1")
    assert outcome.verdict == verdict


async def test_a_run_that_is_cancelled_leaves_no_job_and_no_process(api, sandbox):
    task = asyncio.get_running_loop().create_task(_run(sandbox, "sleep 60"))
    await until(api.is_busy)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not api.jobs
    (process,) = api.processes.values()
    await asyncio.wait_for(process.wait(), 10)


async def test_a_pod_whose_worker_is_gone_ends_by_itself(api, sandbox):
    task = asyncio.get_running_loop().create_task(_run(sandbox, "sleep 60"))
    await until(api.is_busy)
    # whoever died removes nothing
    api.refusal = 503
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    (process,) = api.processes.values()
    await asyncio.wait_for(process.wait(), 10)
    assert api.jobs


@pytest.mark.parametrize("waiting", [{"reason": "ErrImagePull"}, {"reason": "ContainerCreating"}])
async def test_a_pod_that_does_not_start_is_no_fault_of_the_build(api, sandbox, waiting):
    api.waiting = waiting
    with pytest.raises(UnavailableSandboxError, match=waiting["reason"]):
        await _run(sandbox, "true")
    assert not api.jobs


async def test_a_cluster_that_refuses_says_why(api, sandbox):
    api.refusal = 403
    with pytest.raises(UnavailableSandboxError, match="quota exceeded"):
        await sandbox.prepare()


async def test_a_worker_without_an_account_says_so(sandbox, tmp_path):
    (tmp_path / "account/token").unlink()
    with pytest.raises(UnavailableSandboxError, match="account"):
        await sandbox.prepare()
