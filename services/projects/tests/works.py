"""Jobs of kinds that only one test knows, and who does them."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
import msgspec
import sqlalchemy as sa
from services.projects.tests.desk import Desk

from common.caller import Caller
from common.ids import uuid7
from common.testing.waiting import until
from projects.jobs import service
from projects.jobs.runner import Runner
from projects.jobs.types import Work
from projects.means import Means
from projects.settings import Settings
from projects.tables import JobRow

JOBS = "/api/v1/projects/jobs"
_ATTEMPT = sa.select(JobRow.attempt).where(JobRow.id == sa.bindparam("id", type_=sa.Uuid))


class Works:
    """One kind of work; nobody does it but who is told to here."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.kind = f"test-{uuid7()}"

    def settings(self, **other: Any) -> Settings:
        """The service's settings, with some of them changed."""
        settings: Settings = self.desk.client.app.state.settings
        return msgspec.structs.replace(settings, **other)

    def means(self, **other: Any) -> Means:
        """The service's means, with some settings changed."""
        means: Means = self.desk.client.app.state.means
        return msgspec.structs.replace(means, settings=self.settings(**other))

    async def ask(self, user: UUID | None = None, /, **given: Any) -> str:
        """Ask for a job; return its path."""
        caller = Caller(user_id=user or self.desk.owner)
        db = self.desk.client.db
        job = await service.enqueue(db, self.settings(), caller, self.kind, given)
        return f"{JOBS}/{job.id}"

    async def attempts(self, path: str) -> int:
        """How often somebody took a job."""
        return await self.desk.client.db.one(_ATTEMPT, int, id=UUID(path.rpartition("/")[2]))

    @asynccontextmanager
    async def done_by(self, work: Work, **other: Any) -> AsyncGenerator[Runner]:
        """Let a runner do the jobs."""
        runner = Runner(self.settings(**other), {self.kind: work})
        await runner.open(self.desk.client.app)
        try:
            yield runner
        finally:
            await runner.close()


async def seen(desk: Desk, path: str, user: UUID | None = None) -> dict[str, Any]:
    """A job as who asked for it sees it."""
    answer = await desk.call("GET", path, user)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


async def ended(desk: Desk, path: str, user: UUID | None = None) -> dict[str, Any]:
    """Wait for a job's end."""

    async def look() -> dict[str, Any] | None:
        job = await seen(desk, path, user)
        return job if job["completedAt"] else None

    return await until(look) or {}


def code(answer: httpx.Response) -> tuple[int, str]:
    """How a request was refused."""
    return answer.status_code, answer.json()["error"]["code"]
