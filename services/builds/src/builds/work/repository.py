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
from builds.types import Artifact, Diagnostic, Manifest, Options, Page, Step
from common.caller import NOBODY
from common.contracts.builds import BuildFailed, BuildStarted, BuildSucceeded
from common.database import Database
from common.outbox import announced, announcing
from common.statements import unnested

_B = BuildRow
_ID = bindparam("build_id", type_=sa.Uuid)
_WORKER = bindparam("worker", type_=sa.Uuid)


def _ago(name: str) -> "sa.ColumnElement[datetime]":
    seconds = bindparam(name, type_=sa.Double)
    return sa.func.now() - sa.func.make_interval(0, 0, 0, 0, 0, 0, seconds)


_LOST = sa.and_(_B.status == "building", _B.beat_at < _ago("lost_s"))
_IS_LAST = _B.attempt >= bindparam("attempts_max", type_=sa.BigInteger)
_HELD = sa.and_(_B.id == _ID, _B.status == "building", _B.worker_id == _WORKER)
_NEXT_LINE = (
    sa.select(sa.func.coalesce(sa.func.max(LogRow.line) + 1, 0))
    .where(LogRow.build_id == _B.id)
    .correlate(_B)
    .scalar_subquery()
)
_CLAIM = announcing(
    sa.update(_B)
    .where(_B.id == _ID, _B.deleted_at.is_(None), ~_IS_LAST, (_B.status == "queued") | _LOST)
    .values(
        status="building",
        worker_id=_WORKER,
        attempt=_B.attempt + 1,
        beat_at=sa.func.now(),
        started_at=sa.func.coalesce(_B.started_at, sa.func.now()),
        steps=[],
        diagnostics=[],
    )
    .returning(
        _B.id,
        _B.project_id,
        _B.user_id,
        _B.target,
        _B.attempt,
        _B.options,
        _B.manifest,
        _NEXT_LINE.label("next_line"),
    ),
    projectId="project_id",
    userId="user_id",
    target="target",
    attempt="attempt",
)
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


class Claim(msgspec.Struct, frozen=True):
    """A build that is this worker's now."""

    build_id: UUID
    project_id: UUID
    user_id: UUID
    target: str
    attempt: int
    options: Options
    manifest: Manifest
    next_line: int


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


def _claim(
    build_id: UUID,
    project_id: UUID,
    user_id: UUID,
    target: str,
    attempt: int,
    options: dict[str, Any],
    manifest: dict[str, Any],
    next_line: int,
) -> Claim:
    return Claim(
        build_id,
        project_id,
        user_id,
        target,
        attempt,
        msgspec.convert(options, Options),
        msgspec.convert(manifest, Manifest),
        next_line,
    )


async def claim(
    db: Database, build_id: UUID, worker: UUID, attempts_max: int, lost_s: float
) -> Claim | None:
    """Take a build; ``None`` where there is nothing to do, or another worker does it."""
    # what only the row knows is put in by the statement
    event = BuildStarted(build_id=build_id, project_id=NOBODY, user_id=NOBODY, target="", attempt=0)
    return await db.one_or_none(
        _CLAIM,
        _claim,
        build_id=build_id,
        worker=worker,
        attempts_max=attempts_max,
        lost_s=lost_s,
        **announced(event, build_id),
    )


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
