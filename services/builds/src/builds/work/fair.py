"""Whose build is next: theirs for whom the workers do least now, and did nothing for longest.

A job of the queue says only that one more build waits. Which one a worker takes is decided here,
when it takes it, so that nobody waits for all that somebody else has put before them.
"""

from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import aliased

from builds.tables import BuildRow, LogRow
from builds.types import Artifact, Manifest, Options, Page
from common.contracts.builds import BuildStarted
from common.database import Database
from common.ids import uuid7
from common.outbox import insertion
from common.statements import word

_B = BuildRow
# longer than any build takes
_REMEMBERED = sa.literal_column("interval '1 hour'", sa.Interval)


class Claim(msgspec.Struct, frozen=True):
    """A build that is this worker's now. One that checks another has what it is to be equal to."""

    build_id: UUID
    project_id: UUID
    user_id: UUID
    target: str
    attempt: int
    options: Options
    manifest: Manifest
    verify_of: UUID | None
    build_key: str | None
    result_id: UUID | None
    artifacts: list[Artifact]
    site: dict[str, Page]
    request_id: str
    traceparent: str
    next_line: int


_COLUMNS = (
    *(_B.id, _B.project_id, _B.user_id, _B.target, _B.attempt, _B.options, _B.manifest),
    *(_B.verify_of, _B.build_key, _B.result_id, _B.artifacts, _B.site),
    *(_B.request_id, _B.traceparent),
)
_NEXT_LINE = (
    sa.select(sa.func.coalesce(sa.func.max(LogRow.line) + 1, 0))
    .where(LogRow.build_id == _B.id)
    .correlate(_B)
    .scalar_subquery()
)


def _next() -> sa.CTE:
    waiting, begun = aliased(_B, name="waiting"), aliased(_B, name="begun")
    is_running = sa.and_(begun.status == word("building"), begun.deleted_at.is_(None))
    served = (
        sa.select(
            begun.user_id,
            sa.func.count().filter(is_running).label("running"),
            sa.func.max(begun.started_at).label("last_at"),
        )
        .where(begun.started_at > sa.func.now() - _REMEMBERED, ~begun.cached)
        .group_by(begun.user_id)
        .subquery("served")
    )
    s = served.c
    return (
        sa.select(waiting.id)
        .outerjoin(served, s.user_id == waiting.user_id)
        .where(waiting.status == word("queued"), waiting.deleted_at.is_(None))
        .order_by(
            sa.func.coalesce(s.running, 0),
            s.last_at.asc().nulls_first(),
            waiting.queued_at,
            waiting.id,
        )
        .limit(1)
        # of workers that look at the same moment each finds another
        .with_for_update(skip_locked=True, of=waiting)
        .cte("next")
    )


def _claim() -> "sa.Select[*tuple[Any, ...]]":
    following = _next()
    written = (
        sa.update(_B)
        .where(_B.id == following.c.id)
        .values(
            status="building",
            worker_id=bindparam("worker", type_=sa.Uuid),
            attempt=_B.attempt + 1,
            beat_at=sa.func.now(),
            started_at=sa.func.coalesce(_B.started_at, sa.func.now()),
            steps=[],
            diagnostics=[],
        )
        .returning(*_COLUMNS, _NEXT_LINE.label("next_line"))
        .cte("written")
    )
    w = written.c
    facts = {
        "buildId": w.id,
        "projectId": w.project_id,
        "userId": w.user_id,
        "target": w.target,
        "attempt": w.attempt,
    }
    event = sa.select(
        bindparam("event_id", type_=sa.Uuid),
        word(BuildStarted.subject),
        sa.cast(w.id, sa.Text),
        sa.func.jsonb_build_object(
            *[x for name, value in facts.items() for x in (word(name), value)], type_=JSONB
        ),
        w.request_id,
        w.traceparent,
    )
    return sa.select(written).add_cte(insertion(event))


_CLAIM = _claim()


def _claimed(*values: Any) -> Claim:  # noqa: ANN401 - as the columns are
    return msgspec.convert(dict(zip(Claim.__struct_fields__, values, strict=True)), Claim)


async def claim(db: Database, worker: UUID) -> Claim | None:
    """Take the build whose turn it is; ``None`` where none waits."""
    return await db.one_or_none(_CLAIM, _claimed, worker=worker, event_id=uuid7())
