"""The SQL of metrics: how long the queue is, asked when somebody wants to know."""

from datetime import datetime

import msgspec
import sqlalchemy as sa

from builds.tables import BuildRow
from common.database import Database
from common.statements import one_of

_B = BuildRow


def _ms_since(moment: "sa.ColumnElement[datetime]") -> "sa.ColumnElement[int]":
    seconds = sa.extract("epoch", sa.func.now() - moment)
    return sa.func.coalesce(sa.cast(seconds * 1000, sa.BigInteger), 0)


_QUEUE = sa.select(
    sa.func.count().filter(_B.status == "queued"),
    sa.func.count().filter(_B.status == "building"),
    _ms_since(sa.func.min(_B.queued_at).filter(_B.status == "queued")),
).where(one_of(_B.status, "queued", "building"))


class Queue(msgspec.Struct, frozen=True):
    """How many builds wait and run, and for how long the first has waited."""

    waiting: int
    running: int
    age_ms: int


async def queue(db: Database) -> Queue:
    """Look at the queue."""
    return await db.one(_QUEUE, Queue)
