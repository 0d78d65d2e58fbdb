"""The SQL of workers: statements above, the functions that run them below.

A worker writes only while the row names it: whoever was cancelled, or taken for lost, writes
nothing any more.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import insert

from builds.runs.types import BuildRequested
from builds.tables import BuildRow, LogRow
from builds.types import Artifact, Diagnostic, Page, Step
from common.contracts.builds import BuildFailed, BuildSucceeded
from common.database import Database
from common.outbox import announced, announcing
from common.statements import unnested

_B = BuildRow
_ID = bindparam("build_id", type_=sa.Uuid)
_WORKER = bindparam("worker", type_=sa.Uuid)


_HELD = sa.and_(_B.id == _ID, _B.status == "building", _B.worker_id == _WORKER)
_LINES = unnested(
    "line",
    {
        "line_number": sa.BigInteger(),
        "line_at": sa.DateTime(timezone=True),
        "line_step": sa.Text(),
        "line_text": sa.Text(),
    },
)


def _logging(held: sa.CTE) -> sa.CTE:
    """Write the lines of the log beside whatever else was written."""
    c = _LINES.c
    rows = sa.select(held.c.id, c.line_number, c.line_at, c.line_step, c.line_text).select_from(
        _LINES.join(held, sa.true())
    )
    names = ["build_id", "line", "at", "step", "text"]
    # a write whose acknowledgement was lost is repeated, and its lines are there already
    return insert(LogRow).from_select(names, rows).on_conflict_do_nothing().cte("logged")


_STEPS = bindparam("new_steps", type_=_B.steps.type)
_BEAT_HELD = (
    sa.update(_B)
    .where(_HELD)
    .values(beat_at=sa.func.now(), steps=_STEPS)
    .returning(_B.id)
    .cte("held")
)
_BEAT = sa.select(_BEAT_HELD.c.id).add_cte(_logging(_BEAT_HELD))
_FINISH = announcing(
    sa.update(_B)
    .where(_HELD)
    .values(
        status=bindparam("new_status", type_=sa.Text),
        steps=_STEPS,
        diagnostics=bindparam("new_diagnostics", type_=_B.diagnostics.type),
        artifacts=bindparam("new_artifacts", type_=_B.artifacts.type),
        site=bindparam("new_site", type_=_B.site.type),
        result_id=bindparam("new_result_id", type_=sa.Uuid),
        build_key=sa.func.coalesce(bindparam("new_build_key", type_=sa.Text), _B.build_key),
        error_code=bindparam("new_error_code", type_=sa.Text),
        error_message=bindparam("new_error_message", type_=sa.Text),
        completed_at=sa.func.now(),
        worker_id=None,
    )
    .returning(_B.id),
    _logging,
)
_BACK: Mapping[Any, Any] = {
    _B.status: "queued",
    _B.worker_id: None,
    _B.requested_at: sa.func.now(),
    _B.attempt: _B.attempt - 1,
}
_RELEASE = announcing(sa.update(_B).where(_HELD).values(_BACK).returning(_B.id))


class Line(msgspec.Struct, frozen=True):
    """A line of a log that is to be written."""

    number: int
    at: datetime
    step: str
    text: str


class End(msgspec.Struct, frozen=True, kw_only=True):
    """How a build ended."""

    status: str
    error_code: str | None = None
    error_message: str | None = None
    diagnostics: list[Diagnostic] = []
    artifacts: list[Artifact] = []
    site: dict[str, Page] = {}
    result_id: UUID | None = None
    build_key: str | None = None


def _written(lines: Sequence[Line]) -> dict[str, Any]:
    return {
        "line_number": [line.number for line in lines],
        "line_at": [line.at for line in lines],
        "line_step": [line.step for line in lines],
        "line_text": [line.text for line in lines],
    }


async def beat(
    db: Database, build_id: UUID, worker: UUID, steps: list[Step], lines: Sequence[Line]
) -> bool:
    """Show that the worker lives, and what it has done; false where the build is not its own."""
    row = await db.one_or_none(
        _BEAT,
        _same,
        build_id=build_id,
        worker=worker,
        new_steps=msgspec.to_builtins(steps),
        **_written(lines),
    )
    return row is not None


async def finish(
    db: Database,
    worker: UUID,
    event: BuildSucceeded | BuildFailed,
    end: End,
    steps: list[Step],
    lines: Sequence[Line],
) -> bool:
    """Write how a build ended; false where the build is not the worker's own any more."""
    row = await db.one_or_none(
        _FINISH,
        _same,
        build_id=event.build_id,
        worker=worker,
        new_status=end.status,
        new_error_code=end.error_code,
        new_error_message=end.error_message,
        new_diagnostics=msgspec.to_builtins(end.diagnostics),
        new_artifacts=msgspec.to_builtins(end.artifacts),
        new_site=msgspec.to_builtins(end.site),
        new_result_id=end.result_id,
        new_build_key=end.build_key,
        new_steps=msgspec.to_builtins(steps),
        **_written(lines),
        **announced(event, event.build_id),
    )
    return row is not None


async def release(db: Database, build_id: UUID, worker: UUID) -> None:
    """Give a build back to the queue, as if it had not been taken."""
    job = BuildRequested(build_id=build_id)
    await db.run(_RELEASE, build_id=build_id, worker=worker, **announced(job, build_id))


def _same(build_id: UUID) -> UUID:
    return build_id
