"""Long work through HTTP: followed, cancelled, and done once, whoever dies over it."""

import asyncio
from uuid import UUID

import pytest
import sqlalchemy as sa
from services.projects.tests.desk import Desk, told
from services.projects.tests.works import JOBS, Works, code, ended, seen

from common.bus import Listener
from common.caller import Caller
from common.contracts.auth import UserDeleted
from common.errors import ConflictError, UnavailableError
from common.ids import uuid7
from common.testing.waiting import until
from projects.errors import QuotaExceededError
from projects.jobs import service
from projects.jobs.schema import Job
from projects.jobs.types import Outcome, Task
from projects.lifecycle import service as lifecycle
from projects.lifecycle.schema import NewProject
from projects.means import Means
from projects.tables import JobRow

_J = JobRow
_AGE = sa.update(_J).values(completed_at=sa.func.now() - sa.func.make_interval(0, 0, 0, 30))


@pytest.fixture
def works(desk: Desk) -> Works:
    """A kind of work that no other test knows."""
    return Works(desk)


class Gate:
    """Work that makes a project and waits there until it may go on; it counts how often."""

    def __init__(self) -> None:
        self.begun = 0
        self.ended = 0
        self.opens = asyncio.Event()

    async def pass_through(self, means: Means, task: Task) -> Outcome:
        """Do it."""
        self.begun += 1
        try:
            new = NewProject(name=task.given.get("name", "Made"))
            project_id, _ = await lifecycle.create(task.tx, means.settings, task.caller, new)
            await task.reach(0.25)
            await self.opens.wait()
            await task.reach(0.5)
        finally:
            self.ended += 1
        return Outcome(f"/api/v1/projects/{project_id}", project_id)

    async def has_begun(self) -> bool:
        """Whether somebody is inside."""
        return self.begun > 0

    async def has_ended(self) -> bool:
        """Whether nobody is inside any more."""
        return self.ended == self.begun > 0


async def made(desk: Desk) -> list[str]:
    """What the owner's projects are called."""
    answer = await desk.call("GET", "/api/v1/projects")
    return [project["name"] for project in answer.json()["data"]]


async def at_once(_: Means, __: Task) -> Outcome:
    """Work that is nothing."""
    return Outcome("/done")


async def test_a_job_is_followed_to_what_it_made(desk: Desk, works: Works) -> None:
    gate = Gate()
    path = await works.ask(name="Copy")
    queued = await desk.call("GET", path)
    assert (queued.status_code, queued.headers["retry-after"]) == (200, "1")
    job = queued.json()["data"]
    assert (job["status"], job["progress"], job["startedAt"]) == ("queued", 0, None)
    async with works.done_by(gate.pass_through):

        async def is_quarter() -> bool:
            return bool((await seen(desk, path))["progress"] == 0.25)

        await until(is_quarter)
        running = await desk.call("GET", path)
        assert running.headers["retry-after"] == "1"
        assert running.json()["data"]["status"] == "running"
        assert await made(desk) == []
        gate.opens.set()
        job = await ended(desk, path)
    assert (job["status"], job["progress"], job["error"]) == ("complete", 1, None)
    assert await made(desk) == ["Copy"]
    project = (await desk.call("GET", job["result"]["href"])).json()["data"]
    assert project["id"] == job["result"]["projectId"]
    assert job["createdAt"] < job["startedAt"] < job["completedAt"]
    over = await desk.call("GET", path)
    assert "retry-after" not in over.headers
    assert code(await desk.call("DELETE", path)) == (409, "CONFLICT")


async def test_a_job_is_its_owner_s_alone(desk: Desk, works: Works) -> None:
    path = await works.ask()
    nowhere = f"{JOBS}/{uuid7()}"
    for method in ("GET", "DELETE"):
        for user, where in ((desk.stranger, path), (desk.owner, nowhere)):
            assert code(await desk.call(method, where, user)) == (404, "NOT_FOUND")
        key = await desk.call(method, path, x_auth_project=str(uuid7()))
        assert code(key) == (404, "NOT_FOUND")
    assert (await seen(desk, path))["status"] == "queued"
    assert (await desk.client.call("GET", JOBS)).status_code == 401
    assert (await desk.call("GET", JOBS, x_auth_project=str(uuid7()))).json()["data"] == []


async def test_jobs_are_listed_the_newest_first(desk: Desk, works: Works) -> None:
    paths = [await works.ask() for _ in range(5)]
    await works.ask(desk.stranger)
    found, query = [], "limit=2"
    while query:
        answer = (await desk.call("GET", f"{JOBS}?{query}")).json()
        found.append([f"{JOBS}/{job['id']}" for job in answer["data"]])
        cursor = answer["meta"]["nextCursor"]
        query = f"limit=2&cursor={cursor}" if cursor else ""
    assert found == [paths[:2:-1], paths[2:0:-1], paths[:1]]
    foreign = (await desk.call("GET", f"{JOBS}?limit=2")).json()["meta"]["nextCursor"]
    for cursor, user in (("x", desk.owner), (foreign, desk.stranger)):
        refused = await desk.call("GET", f"{JOBS}?cursor={cursor}", user)
        assert code(refused) == (400, "CURSOR_INVALID")


async def test_a_queued_job_is_cancelled_at_once(desk: Desk, works: Works) -> None:
    first = await works.ask()
    assert (await desk.call("DELETE", first)).status_code == 204
    job = await seen(desk, first)
    assert (job["status"], job["result"], job["error"]) == ("cancelled", None, None)
    again = await desk.call("DELETE", first)
    assert code(again) == (409, "CONFLICT")
    assert again.json()["error"]["details"] == [{"status": "cancelled"}]
    second = await works.ask()
    async with works.done_by(at_once):
        await ended(desk, second)
    assert (await seen(desk, first))["startedAt"] is None


@pytest.mark.parametrize("notices", ["where it waits", "between two steps"])
async def test_a_running_job_is_cancelled_and_leaves_nothing(
    desk: Desk, works: Works, notices: str
) -> None:
    gate = Gate()
    path = await works.ask()
    is_waiting = notices == "where it waits"
    beats = {"job_beat_s": 0.01 if is_waiting else 1000.0, "job_progress_s": 0.0}
    async with works.done_by(gate.pass_through, jobs_at_once=1, job_poll_s=0.01, **beats):
        await until(gate.has_begun)
        assert (await desk.call("DELETE", path)).status_code == 204
        assert (await seen(desk, path))["status"] == "cancelled"
        if not is_waiting:
            gate.opens.set()
        await until(gate.has_ended)
        gate.opens.set()
        # the same hands are free for another
        await ended(desk, await works.ask(name="Next"))
    assert (await seen(desk, path))["status"] == "cancelled"
    assert await made(desk) == ["Next"]


async def test_who_dies_over_a_job_leaves_it_to_another(desk: Desk, works: Works) -> None:
    path = await works.ask()
    dead = await service.claim(works.means(job_lease_s=0.0), [works.kind])
    assert dead is not None
    assert (await seen(desk, path))["status"] == "running"
    async with works.done_by(at_once):
        job = await ended(desk, path)
    assert (job["status"], job["result"]["href"]) == ("complete", "/done")


@pytest.mark.parametrize("first", ["the one that was lost", "the one that took over"])
async def test_of_two_that_do_a_job_the_one_that_holds_it_ends_it(
    desk: Desk, works: Works, first: str
) -> None:
    lost, other = Gate(), Gate()
    path = await works.ask()
    silent = {"job_beat_s": 1000.0, "job_progress_s": 1000.0, "jobs_at_once": 1}
    async with works.done_by(lost.pass_through, job_lease_s=0.01, **silent):
        await until(lost.has_begun)
        async with works.done_by(other.pass_through, job_poll_s=0.01):
            await until(other.has_begun)
            if first == "the one that was lost":
                lost.opens.set()
                await until(lost.has_ended)
                assert (await seen(desk, path))["status"] == "running"
            other.opens.set()
            job = await ended(desk, path)
        lost.opens.set()
        await until(lost.has_ended)
    assert (lost.begun, other.begun, await made(desk)) == (1, 1, ["Made"])
    assert job["status"] == "complete"
    assert await seen(desk, path) == job


async def test_the_jobs_of_an_account_that_is_gone_go_and_make_nothing(
    desk: Desk, works: Works, listener: Listener
) -> None:
    gate, gone = Gate(), UserDeleted(user_id=desk.owner)
    over, running, queued = await works.ask(), await works.ask(), await works.ask()
    kept = await works.ask(desk.stranger)
    assert (await desk.call("DELETE", over)).status_code == 204
    async with works.done_by(gate.pass_through, jobs_at_once=1):
        await until(gate.has_begun)
        assert await listener.act(gone.subject, told(gone, desk.owner))
        gate.opens.set()
        assert (await ended(desk, kept, desk.stranger))["status"] == "complete"
    for path in (over, running, queued):
        assert code(await desk.call("GET", path)) == (404, "NOT_FOUND")
    assert (gate.begun, await made(desk)) == (2, [])


async def test_a_job_is_given_up_after_some_attempts(desk: Desk, works: Works) -> None:
    path = await works.ask()
    hasty = works.means(job_lease_s=0.0)
    for _ in range(hasty.settings.job_attempts_max):
        assert await service.claim(hasty, [works.kind])
    gate = Gate()
    async with works.done_by(gate.pass_through):
        job = await ended(desk, path)
    assert (job["status"], job["error"]["code"]) == ("failed", "INTERNAL_ERROR")
    assert (gate.begun, job["result"]) == (0, None)


async def test_a_job_fails_with_what_a_request_would_be_told(desk: Desk, works: Works) -> None:
    async def refused(_: Means, task: Task) -> Outcome:
        raise ConflictError("It is in the way.", {"inside": task.given})

    path = await works.ask()
    async with works.done_by(refused):
        job = await ended(desk, path)
    assert job["status"] == "failed"
    assert job["error"] == {"code": "CONFLICT", "message": "It is in the way."}


async def test_a_fault_of_ours_is_not_told(desk: Desk, works: Works) -> None:
    async def broken(_: Means, task: Task) -> Outcome:
        await task.reach(0.5)
        raise LookupError(task.caller)

    path = await works.ask()
    async with works.done_by(broken):
        job = await ended(desk, path)
    assert (job["status"], job["progress"]) == ("failed", 0.5)
    assert job["error"] == {"code": "INTERNAL_ERROR", "message": "Something went wrong."}


async def test_what_is_away_is_waited_for(desk: Desk, works: Works) -> None:
    tries = []

    async def patient(_: Means, task: Task) -> Outcome:
        tries.append(task)
        if len(tries) < 3:
            raise UnavailableError
        return Outcome("/done")

    path = await works.ask()
    async with works.done_by(patient, job_pause_s=0.0, job_poll_s=0.01):
        job = await ended(desk, path)
    assert (job["status"], len(tries)) == ("complete", 3)


async def test_who_stops_gives_a_job_back(desk: Desk, works: Works) -> None:
    gate = Gate()
    path = await works.ask()
    # as often as it likes: it was not the job's fault
    for number in range(works.settings().job_attempts_max + 1):
        async with works.done_by(gate.pass_through, job_progress_s=0.0):

            async def is_inside(number: int = number) -> bool:
                return gate.begun > number

            await until(is_inside)
        job = await seen(desk, path)
        assert (job["status"], job["progress"], await made(desk)) == ("queued", 0, [])
    gate.opens.set()
    async with works.done_by(gate.pass_through):
        await ended(desk, path)
    assert await made(desk) == ["Made"]


async def test_a_runner_is_woken(desk: Desk, works: Works) -> None:
    async with works.done_by(at_once, job_poll_s=1000.0) as runner:
        await ended(desk, await _asked_and_told(works, runner.wake))
        await ended(desk, await _asked_and_told(works, runner.wake))


async def _asked_and_told(works: Works, wake) -> str:
    path = await works.ask()
    await wake()
    return path


async def test_there_is_a_limit_to_jobs_at_once(desk: Desk, works: Works) -> None:
    settings = works.settings(jobs_per_user_max=2)
    caller = Caller(user_id=desk.owner)
    for _ in range(2):
        await service.enqueue(desk.client.db, settings, caller, works.kind, {})
    with pytest.raises(QuotaExceededError) as refused:
        await service.enqueue(desk.client.db, settings, caller, works.kind, {})
    assert refused.value.details == [{"limit": 2, "used": 2}]
    async with works.done_by(at_once):
        jobs = (await desk.call("GET", JOBS)).json()["data"]
        for job in jobs:
            await ended(desk, f"{JOBS}/{job['id']}")
    await service.enqueue(desk.client.db, settings, caller, works.kind, {})


async def test_there_is_a_limit_to_jobs_that_are_asked_for_at_once(
    desk: Desk, works: Works
) -> None:
    settings, db = works.settings(jobs_per_user_max=2), desk.client.db
    caller = Caller(user_id=desk.owner)
    asked = [service.enqueue(db, settings, caller, works.kind, {}) for _ in range(8)]
    refused = [e for e in await asyncio.gather(*asked, return_exceptions=True) if not is_job(e)]
    assert [type(e) for e in refused] == [QuotaExceededError] * 6


def is_job(answer: object) -> bool:
    """Whether somebody who asked for a job has it."""
    return isinstance(answer, Job)


async def test_jobs_that_are_long_over_go(desk: Desk, works: Works) -> None:
    old, new, waiting = await works.ask(), await works.ask(), await works.ask()
    for path in (old, new):
        await desk.call("DELETE", path)
    await desk.client.db.run(_AGE.where(_J.id == UUID(old.rpartition("/")[2])))
    await service.sweep(works.means())
    assert code(await desk.call("GET", old)) == (404, "NOT_FOUND")
    assert [(await seen(desk, p))["status"] for p in (new, waiting)] == ["cancelled", "queued"]
