"""A job: its states, and what its work is given and leaves."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal
from uuid import UUID

import msgspec

from common.caller import Caller
from common.database import Queries
from projects.means import Means

type Status = Literal["queued", "running", "complete", "failed", "cancelled"]


class Claim(msgspec.Struct, frozen=True):
    """A job that is this worker's for a while."""

    job_id: UUID
    worker_id: UUID
    user_id: UUID
    kind: str
    given: dict[str, Any]
    attempt: int
    request_id: str
    traceparent: str


class Outcome(msgspec.Struct, frozen=True, rename="camel"):
    """What a job made: where it is, and if it is a project, which."""

    href: str
    project_id: UUID | None = None


class Task:
    """A job as its work sees it: who asked for what, and the one transaction to do it in."""

    def __init__(
        self, claim: Claim, tx: Queries, reach: Callable[[float], Awaitable[None]]
    ) -> None:
        self.tx = tx
        self.given = claim.given
        self.caller = Caller(user_id=claim.user_id)
        self._reach = reach

    async def reach(self, progress: float) -> None:
        """Say how far it is, from 0 to 1; raises where the job is not to be done any more."""
        await self._reach(progress)


type Work = Callable[[Means, Task], Awaitable[Outcome]]
type Works = Mapping[str, Work]
