"""The one statement by which a build is wanted.

It puts the build into the queue; or, where an earlier one of the same key has succeeded, it is a
success at once and shares that one's result. Either way older ones of its kind that nobody has
begun are superseded, unless their tree is newer. The events leave with it.
"""

from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import aliased

from builds.permissions import WRITERS
from builds.runs import columns, superseding
from builds.runs.columns import COLUMNS
from builds.runs.schema import Build
from builds.runs.types import BuildRequested, asked
from builds.tables import BuildRow, LogRow
from builds.types import Manifest, Options
from common import access
from common.access import AccessRow
from common.contracts.builds import BuildQueued, BuildSucceeded
from common.database import Database
from common.outbox import announced, insertion
from common.statements import unnested, word

_B = BuildRow
_TEXT = sa.Text()
_PROJECT = bindparam("project_id", type_=sa.Uuid)
_OWNER = bindparam("owner_id", type_=sa.Uuid)
_EVENTS: dict[str, Any] = {
    "event_id": sa.Uuid(),
    "event_subject": _TEXT,
    "event_key": _TEXT,
    "event_data": _TEXT,
    "event_request_id": _TEXT,
    "event_traceparent": _TEXT,
    # NULL for what is announced either way
    "event_if_cached": sa.Boolean(),
}


class Created(msgspec.Struct, frozen=True):
    """A build that was wanted, and what it takes the place of."""

    build: Build
    is_public: bool
    superseded: list[UUID]


def _statement() -> "sa.Select[*tuple[Any, ...]]":
    hit = _earlier()
    written = _written(hit)
    superseded = superseding.ended(_stale(written))
    also = (superseded, insertion(_events(written, superseded)), _noted(written, hit))
    w, s = written.c, superseded.c
    others = sa.select(sa.func.array_agg(s.id, type_=ARRAY(sa.Uuid))).scalar_subquery()
    is_public = sa.select(AccessRow.is_public).where(AccessRow.resource_id == _PROJECT)
    told = [w[column.key] for column in COLUMNS]
    return sa.select(is_public.scalar_subquery(), others, *told).add_cte(*also)


def _earlier() -> sa.CTE:
    """A result of the same key; it cannot be deleted before this statement is through."""
    e = aliased(_B, name="earlier")
    return (
        sa.select(e.id, e.result_id, e.diagnostics, e.artifacts, e.site)
        .where(
            e.project_id == _PROJECT,
            e.build_key == bindparam("build_key", type_=_TEXT),
            e.status == word("success"),
            e.deleted_at.is_(None),
        )
        .order_by(e.completed_at.desc())
        .limit(1)
        .with_for_update(read=True)
        .cte("hit")
    )


def _written(hit: sa.CTE) -> sa.CTE:
    h = hit.c
    is_hit = h.id.is_not(None)
    values: dict[str, Any] = {
        "id": bindparam("build_id", type_=sa.Uuid),
        "project_id": AccessRow.resource_id,
        "user_id": _OWNER,
        "target": bindparam("target", type_=_TEXT),
        "options": bindparam("options", type_=_B.options.type),
        "source_tree": bindparam("source_tree", type_=_TEXT),
        "manifest": bindparam("manifest", type_=_B.manifest.type),
        "at_seq": bindparam("at_seq", type_=sa.BigInteger),
        "build_key": bindparam("build_key", type_=_TEXT),
        "status": sa.case((is_hit, word("success")), else_=word("queued")),
        "cached": is_hit,
        "result_id": h.result_id,
        "diagnostics": sa.func.coalesce(h.diagnostics, sa.literal_column("'[]'::jsonb")),
        "artifacts": sa.func.coalesce(h.artifacts, sa.literal_column("'[]'::jsonb")),
        "site": sa.func.coalesce(h.site, sa.literal_column("'{}'::jsonb")),
        "started_at": sa.case((is_hit, sa.func.now())),
        "completed_at": sa.case((is_hit, sa.func.now())),
        "request_id": bindparam("request_id", type_=_TEXT),
        "traceparent": bindparam("traceparent", type_=_TEXT),
    }
    may_build = access.permits(sa.cast(_OWNER, sa.Text), *WRITERS)
    rows = (
        sa.select(*values.values())
        .select_from(AccessRow)
        .outerjoin(hit, sa.true())
        .where(AccessRow.resource_id == _PROJECT, may_build)
        # whoever learns at this moment who may build either refuses this build or sees it
        .with_for_update(read=True, of=AccessRow)
    )
    new = sa.insert(_B).from_select(list(values), rows)
    seq = superseding.seq(_B).label("seq")
    return new.returning(*COLUMNS, _B.options, _B.at_seq, seq).cte("written")


def _stale(written: sa.CTE) -> sa.CTE:
    """Older builds of the same kind that wait still; what a worker takes just now is left to it."""
    w, old = written.c, aliased(_B, name="old")
    is_kin = sa.and_(
        old.project_id == w.project_id,
        old.target == w.target,
        old.options == w.options,
        w.at_seq.is_(None),
        superseding.seq(old) <= w.seq,
    )
    return (
        sa.select(old.id, w.id.label("superseded_by"))
        .join(written, is_kin)
        .where(superseding.waits(old))
        .with_for_update(skip_locked=True, of=old)
        .cte("stale")
    )


def _events(written: sa.CTE, superseded: sa.CTE) -> "sa.Select[Any]":
    w = written.c
    given = unnested("event", _EVENTS)
    g = given.c
    item = sa.func.jsonb_array_elements(w.artifacts).table_valued(sa.column("value", JSONB))
    size = sa.cast(item.c.value["size"].astext, sa.BigInteger)
    total = sa.select(sa.func.sum(size)).select_from(item).correlate(written).scalar_subquery()
    known = sa.cast(g.event_data, JSONB)
    whole = known.op("||", return_type=JSONB())(_object(size=total))
    data = sa.case((g.event_subject == word(BuildSucceeded.subject), whole), else_=known)
    own = (
        sa.select(
            *(g.event_id, g.event_subject, g.event_key, data),
            *(g.event_request_id, g.event_traceparent),
        )
        .select_from(given.join(written, sa.true()))
        .where(g.event_if_cached.is_(None) | (g.event_if_cached == w.cached))
    )
    both: sa.CompoundSelect[*tuple[Any, ...]] = sa.union_all(own, superseding.events(superseded))
    return sa.select(both.subquery("both"))


def _object(**members: Any) -> "sa.ColumnElement[Any]":  # noqa: ANN401 - columns of any type
    pairs = [x for name, value in members.items() for x in (word(name), value)]
    return sa.func.jsonb_build_object(*pairs, type_=JSONB)


def _noted(written: sa.CTE, hit: sa.CTE) -> sa.CTE:
    """The log of a build that was not done says why."""
    text = sa.func.concat(
        sa.literal("Nothing has changed since build ", _TEXT),
        hit.c.id,
        sa.literal(": this is its result.", _TEXT),
    )
    line = sa.select(written.c.id, sa.literal_column("0"), sa.func.now(), word("cache"), text)
    rows = line.select_from(written.join(hit, sa.true()))
    return (
        sa.insert(LogRow).from_select(["build_id", "line", "at", "step", "text"], rows).cte("noted")
    )


_CREATE = _statement()


def _created(is_public: bool, superseded: list[UUID] | None, *values: Any) -> Created:  # noqa: ANN401, FBT001 - as the columns are
    return Created(columns.build(*values), is_public, superseded or [])


async def create(
    db: Database,
    event: BuildQueued,
    options: Options,
    manifest: Manifest,
    *,
    at: int | None,
    key: str | None,
) -> Created | None:
    """Write a build with all that follows from it; ``None`` where the user may not."""
    job = (BuildRequested(build_id=event.build_id), event.build_id)
    done = BuildSucceeded(
        build_id=event.build_id,
        project_id=event.project_id,
        user_id=event.user_id,
        target=event.target,
        duration_ms=0,
        # what only the earlier build knows is put in by the statement
        size=0,
        cached=True,
    )
    return await db.one_or_none(
        _CREATE,
        _created,
        build_id=event.build_id,
        project_id=event.project_id,
        owner_id=event.user_id,
        target=event.target,
        options=_plain(options),
        source_tree=event.source_tree,
        manifest=_plain(manifest),
        at_seq=at,
        build_key=key,
        event_if_cached=[None, False, True],
        **asked(),
        **announced(event, event.build_id, job, (done, event.build_id)),
    )


def _plain(value: msgspec.Struct) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", msgspec.to_builtins(value))
