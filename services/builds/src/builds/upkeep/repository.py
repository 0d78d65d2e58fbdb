"""The SQL of what nobody else looks after: statements above, their functions below."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.orm import aliased

from builds.runs.types import BuildRequested
from builds.tables import BuildRow
from builds.types import UNFINISHED
from common.caller import NOBODY
from common.contracts.builds import BuildFailed
from common.database import Database
from common.outbox import OutboxRow, announced, announcing
from common.statements import one_of, unnested, word

_B = BuildRow
_ID = bindparam("build_id", type_=sa.Uuid)


def _ago(name: str) -> "sa.ColumnElement[datetime]":
    seconds = bindparam(name, type_=sa.Double)
    return sa.func.now() - sa.func.make_interval(0, 0, 0, 0, 0, 0, seconds)


_LOST = sa.and_(_B.status == "building", _B.beat_at < _ago("lost_s"))
_IS_LAST = _B.attempt >= bindparam("attempts_max", type_=sa.BigInteger)
_BACK: Mapping[Any, Any] = {
    _B.status: "queued",
    _B.worker_id: None,
    _B.requested_at: sa.func.now(),
}
_FIND_LOST = sa.select(_B.id, _IS_LAST).where(_LOST).limit(bindparam("limit", type_=sa.BigInteger))
_REQUEUE = announcing(
    sa.update(_B).where(_B.id == _ID, _LOST, ~_IS_LAST).values(_BACK).returning(_B.id)
)
_GIVE_UP = announcing(
    sa.update(_B)
    .where(_B.id == _ID, _LOST, _IS_LAST)
    .values(
        status="failed",
        error_code=bindparam("new_error_code", type_=sa.Text),
        error_message=bindparam("new_error_message", type_=sa.Text),
        completed_at=sa.func.now(),
        worker_id=None,
    )
    .returning(_B.id, _B.project_id, _B.user_id, _B.target),
    projectId="project_id",
    userId="user_id",
    target="target",
)
_UNHEARD = sa.and_(_B.status == "queued", _B.requested_at < _ago("unheard_s"))
_FIND_UNHEARD = (
    sa.select(_B.id)
    .where(_UNHEARD)
    .order_by(_B.requested_at)
    .limit(bindparam("limit", type_=sa.BigInteger))
)
_ACTIVE = (
    sa.select(sa.func.count())
    .where(one_of(_B.status, *UNFINISHED), _B.deleted_at.is_(None))
    .scalar_subquery()
)
_UNSENT = (
    sa.select(sa.func.count())
    .where(OutboxRow.published_at.is_(None), OutboxRow.subject == word(BuildRequested.subject))
    .scalar_subquery()
)
_WITHOUT_JOB = sa.select(_ACTIVE - _UNSENT)
_ASK_AGAIN = announcing(
    sa.update(_B).where(_B.id == _ID, _UNHEARD).values(requested_at=sa.func.now()).returning(_B.id)
)
_O = aliased(_B, name="other")
_IS_SHARED = sa.exists(
    sa.select(_O.id)
    .where(
        _O.result_id == _B.result_id,
        _O.deleted_at.is_(None),
        one_of(_O.status, "success", *UNFINISHED),
    )
    .correlate(_B)
)
_FIND_DELETED = (
    sa.select(_B.id, _B.result_id, _B.site, _B.artifacts, _IS_SHARED)
    .where(_B.deleted_at < _ago("settled_s"))
    .limit(bindparam("limit", type_=sa.BigInteger))
)
_KNOWN = unnested("known", {"result_id": sa.Uuid()})
_USED = sa.select(_KNOWN.c.result_id).where(
    sa.exists(
        sa.select(_O.id)
        .where(
            _O.result_id == _KNOWN.c.result_id,
            # those of a deleted one are swept by the paths that its row knows
            one_of(_O.status, "success", *UNFINISHED),
        )
        .correlate(_KNOWN)
    )
)
_REMOVE = sa.delete(_B).where(_B.id == _ID, _B.deleted_at.is_not(None))


class Lost(msgspec.Struct, frozen=True):
    """A build that nobody works on any more, and whether it may not be tried again."""

    build_id: UUID
    is_last: bool


class Deleted(msgspec.Struct, frozen=True):
    """A build that is to go, with its objects unless another build has the same."""

    build_id: UUID
    result_id: UUID | None
    site: dict[str, Any]
    artifacts: list[Any]
    is_shared: bool


async def lost(db: Database, attempts_max: int, lost_s: float, limit: int) -> list[Lost]:
    """Return builds whose worker has not been heard of."""
    return await db.all(_FIND_LOST, Lost, attempts_max=attempts_max, lost_s=lost_s, limit=limit)


async def requeue(db: Database, build_id: UUID, attempts_max: int, lost_s: float) -> None:
    """Put a lost build back into the queue."""
    job = BuildRequested(build_id=build_id)
    await db.run(
        _REQUEUE,
        build_id=build_id,
        attempts_max=attempts_max,
        lost_s=lost_s,
        **announced(job, build_id),
    )


async def give_up(
    db: Database, build_id: UUID, attempts_max: int, lost_s: float, code: str, message: str
) -> bool:
    """End a build that was lost too often; false where it has come back, or others ended it."""
    event = BuildFailed(
        build_id=build_id,
        project_id=NOBODY,
        user_id=NOBODY,
        target="",
        status="failed",
        error_code=code,
        error_message=message,
    )
    given_up = await db.one_or_none(
        _GIVE_UP,
        _same_of,
        build_id=build_id,
        attempts_max=attempts_max,
        lost_s=lost_s,
        new_error_code=code,
        new_error_message=message,
        **announced(event, build_id),
    )
    return given_up is not None


async def unheard(db: Database, unheard_s: float, limit: int) -> list[UUID]:
    """Return builds that are queued, and whose job may have been lost."""
    return await db.all(_FIND_UNHEARD, _same, unheard_s=unheard_s, limit=limit)


async def without_job(db: Database) -> int:
    """Return how many builds are under way or wait for a job that is not on its way to the queue.

    For each of them the queue should have a job.
    """
    return await db.one(_WITHOUT_JOB, int)


async def used(db: Database, results: Sequence[UUID]) -> set[UUID]:
    """Return those of ``results`` that a build has, or may have yet."""
    return set(await db.all(_USED, _same, result_id=results))


async def ask_again(db: Database, build_id: UUID, unheard_s: float) -> None:
    """Write the job of a queued build once more; a job done twice changes nothing."""
    job = BuildRequested(build_id=build_id)
    await db.run(_ASK_AGAIN, build_id=build_id, unheard_s=unheard_s, **announced(job, build_id))


async def deleted(db: Database, settled_s: float, limit: int) -> list[Deleted]:
    """Return deleted builds that no worker can be busy with any more."""
    return await db.all(_FIND_DELETED, Deleted, settled_s=settled_s, limit=limit)


async def remove(db: Database, build_id: UUID) -> None:
    """Remove what is left of a deleted build."""
    await db.run(_REMOVE, build_id=build_id)


def _same(build_id: UUID) -> UUID:
    return build_id


def _same_of(build_id: UUID, *_: Any) -> UUID:  # noqa: ANN401 - what the event needs, and nobody here
    return build_id
