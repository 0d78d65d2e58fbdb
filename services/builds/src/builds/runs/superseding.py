"""Builds that nobody waits for any more: a newer one of their kind is wanted.

A kind is what a build is of: its project, target and options. The newer is the one of the newer
tree; of the same tree, the one that was wanted later, by whomever. Builds of a moment that was
named, repetitions and checks are wanted for themselves.
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


def seq(row: type[BuildRow]) -> "sa.ColumnElement[int]":
    """Which tree of the project a build is of: the larger, the newer."""
    text = row.manifest.op("->>", return_type=sa.Text())(word("seq"))
    return sa.cast(text, sa.BigInteger)


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


def _kin(row: type[BuildRow], other: sa.Subquery) -> "sa.ColumnElement[bool]":
    o = other.c
    return sa.and_(
        row.project_id == o.project_id,
        row.target == o.target,
        row.options == o.options,
    )


def _newest() -> sa.Subquery:
    """The newest of each kind of which several wait."""
    one, new = aliased(_B, name="one"), aliased(_B, name="new")
    several = (
        sa.select(one.project_id, one.target, one.options)
        .where(waits(one))
        .group_by(one.project_id, one.target, one.options)
        .having(sa.func.count() > 1)
        .subquery("several")
    )
    # a build may be written later than one of a newer tree: it asks several services first
    latest = aggregate_order_by(new.id, seq(new).desc(), new.queued_at.desc(), new.id.desc())
    return (
        sa.select(
            new.project_id,
            new.target,
            new.options,
            sa.func.array_agg(latest, type_=ARRAY(sa.Uuid))[1].label("id"),
        )
        # manifests are long, and read of these alone
        .join(several, _kin(new, several))
        .where(waits(new))
        .group_by(new.project_id, new.target, new.options)
        .subquery("newest")
    )


def _outdated() -> "sa.Select[UUID]":
    old, newest = aliased(_B, name="old"), _newest()
    n = newest.c
    stale = (
        sa.select(old.id, n.id.label("superseded_by"))
        .join(newest, _kin(old, newest))
        .where(waits(old), old.id != n.id)
        .with_for_update(skip_locked=True, of=old)
        .cte("stale")
    )
    superseded = ended(stale)
    return sa.select(superseded.c.id).add_cte(insertion(events(superseded)))


_OUTDATED = _outdated()


async def outdate(db: Database) -> list[UUID]:
    """End what was wanted at the same moment as its successor, or came after it with an older tree.

    Return which builds those were.
    """
    return await db.all(_OUTDATED, _same)


def _same(build_id: UUID) -> UUID:
    return build_id
