"""Builds that nobody waits for any more: a newer one of their kind is wanted.

A kind is what a build is of: its project, target and options. Builds of a moment that was named,
repetitions and checks are wanted for themselves.
"""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, aggregate_order_by
from sqlalchemy.orm import aliased

from builds.tables import BuildRow
from common.contracts.builds import BuildSuperseded
from common.database import Database
from common.outbox import insertion
from common.statements import word

_B = BuildRow
_NOTHING = word("")


def waits(row: type[BuildRow]) -> "sa.ColumnElement[bool]":
    """Whether a build is one that a newer one of its kind may take the place of."""
    return sa.and_(
        row.status == word("queued"),
        row.at_seq.is_(None),
        row.retry_of.is_(None),
        row.verify_of.is_(None),
        row.deleted_at.is_(None),
    )


def ended(stale: sa.CTE) -> sa.CTE:
    """End the builds of ``stale``, which has their ``id`` and whom they are ``superseded_by``."""
    return (
        sa.update(_B)
        .where(_B.id == stale.c.id)
        .values(status="superseded", completed_at=sa.func.now())
        .returning(_B.id, _B.project_id, _B.user_id, _B.target, stale.c.superseded_by)
        .cte("superseded")
    )


def events(superseded: sa.CTE) -> "sa.Select[Any]":
    """What is announced of them, as the outbox takes it."""
    s = superseded.c
    facts = {
        "buildId": s.id,
        "projectId": s.project_id,
        "userId": s.user_id,
        "target": s.target,
        "supersededBy": s.superseded_by,
    }
    data = sa.func.jsonb_build_object(
        *[x for name, value in facts.items() for x in (word(name), value)], type_=JSONB
    )
    subject = word(BuildSuperseded.subject)
    key = sa.cast(s.id, sa.Text)
    return sa.select(sa.func.gen_random_uuid(), subject, key, data, _NOTHING, _NOTHING)


def _outdated() -> "sa.Select[UUID]":
    old, new = aliased(_B, name="old"), aliased(_B, name="new")
    latest = aggregate_order_by(new.id, new.queued_at.desc(), new.id.desc())
    newest = (
        sa.select(
            new.project_id,
            new.target,
            new.options,
            sa.func.array_agg(latest, type_=ARRAY(sa.Uuid))[1].label("id"),
        )
        .where(waits(new))
        .group_by(new.project_id, new.target, new.options)
        .having(sa.func.count() > 1)
        .subquery("newest")
    )
    n = newest.c
    is_kin = sa.and_(
        old.project_id == n.project_id, old.target == n.target, old.options == n.options
    )
    stale = (
        sa.select(old.id, n.id.label("superseded_by"))
        .join(newest, is_kin)
        .where(waits(old), old.id != n.id)
        .with_for_update(skip_locked=True, of=old)
        .cte("stale")
    )
    superseded = ended(stale)
    return sa.select(superseded.c.id).add_cte(insertion(events(superseded)))


_OUTDATED = _outdated()


async def outdate(db: Database) -> list[UUID]:
    """End what was wanted at the same moment as its successor; return which builds those were."""
    return await db.all(_OUTDATED, _same)


def _same(build_id: UUID) -> UUID:
    return build_id
