"""Events leave in the statement that causes them; the relay carries them to JetStream later."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.sql.dml import ReturningDelete, ReturningInsert, ReturningUpdate
from sqlalchemy.types import TypeEngine

from common import exchange
from common.contracts.base import Event
from common.database import Queries
from common.ids import uuid7
from common.statements import unnested, word

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Tables(DeclarativeBase):
    """What every service's schema holds; a service has a base of its own below this one."""

    metadata = sa.MetaData(naming_convention=_NAMES)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it from the class
        datetime: sa.DateTime(timezone=True),
        dict[str, Any]: JSONB,
        bytes: sa.LargeBinary,
        int: sa.BigInteger,
    }


class OutboxRow(Tables):
    """An event, waiting to be published or kept for a while after it was.

    ``position`` is drawn while the row that the event is about is locked, so for each ``key`` the
    positions are in the order of the commits.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        sa.Index("ix_outbox_waiting", "position", postgresql_where=sa.text("published_at IS NULL")),
    )

    position: Mapped[int] = mapped_column(sa.Identity(always=True), primary_key=True)
    id: Mapped[UUID] = mapped_column(unique=True)
    subject: Mapped[str]
    key: Mapped[str]
    data: Mapped[dict[str, Any]]
    request_id: Mapped[str] = mapped_column(server_default="")
    traceparent: Mapped[str] = mapped_column(server_default="")
    occurred_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    published_at: Mapped[datetime | None]


class InboxRow(Tables):
    """An event that was acted upon."""

    __tablename__ = "inbox"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(server_default=sa.func.now(), index=True)


class KeptAnswerRow(Tables):
    """An answer that is given again to who repeats a request with its ``Idempotency-Key``."""

    __tablename__ = "kept_answer"

    id: Mapped[bytes] = mapped_column(primary_key=True)
    fingerprint: Mapped[bytes]
    # status, headers and body, sealed under a key that the client's own key opens
    sealed: Mapped[bytes]
    kept_at: Mapped[datetime] = mapped_column(server_default=sa.func.now(), index=True)


def schema(*shared: type[Tables]) -> sa.MetaData:
    """Make the metadata of one service: outbox, inbox, kept answers, and ``shared`` beside them."""
    made = sa.MetaData(naming_convention=_NAMES)
    rows: tuple[type[Tables], ...] = (OutboxRow, InboxRow, KeptAnswerRow, *shared)
    for row in rows:
        cast("sa.Table", row.__table__).to_metadata(made)
    return made


_COLUMNS = ["id", "subject", "key", "data", "request_id", "traceparent"]
_TYPES: dict[str, TypeEngine[Any]] = {
    "event_id": sa.Uuid(),
    "event_subject": sa.Text(),
    "event_key": sa.Text(),
    "event_data": sa.Text(),
    "event_request_id": sa.Text(),
    "event_traceparent": sa.Text(),
}


def insertion(rows: "sa.Select[Any]") -> sa.CTE:
    """Write events; ``rows`` selects id, subject, key, data, request_id, traceparent."""
    return sa.insert(OutboxRow).from_select(_COLUMNS, rows).cte("announced")


def _given(events: sa.TableValuedAlias, data: sa.ColumnElement[Any]) -> "sa.Select[Any]":
    c = events.c
    columns = (c.event_id, c.event_subject, c.event_key)
    return sa.select(*columns, data, c.event_request_id, c.event_traceparent)


def announcing[*Ts](
    statement: ReturningInsert[*Ts] | ReturningUpdate[*Ts] | ReturningDelete[*Ts],
    *also: Callable[[sa.CTE], sa.CTE],
    **facts: str,
) -> sa.Select[*Ts]:
    """Run ``statement`` and put events in the outbox, both or neither; no row, no event.

    The events come from ``announced(...)`` at the call. ``facts`` adds to each what only the row
    knows: the event's member (as it is spelt in JSON) = the returned column's name. ``also`` makes
    further writes out of the rows written.
    """
    written = statement.cte("written")
    first = sa.select(written).limit(1).subquery("first")
    events = unnested("event", _TYPES)
    data: sa.ColumnElement[Any] = sa.cast(events.c.event_data, JSONB)
    if facts:
        pairs = [x for name, column in facts.items() for x in (word(name), first.c[column])]
        data = data.op("||", return_type=JSONB())(sa.func.jsonb_build_object(*pairs))
    rows = _given(events, data).select_from(events.join(first, sa.true()))
    more = [make(written) for make in also]
    return cast("sa.Select[*Ts]", sa.select(written).add_cte(insertion(rows), *more))


def announced(event: Event, key: UUID | str, *more: tuple[Event, UUID | str]) -> dict[str, Any]:
    """Give the parameters of an ``announcing`` statement: events, and what each is ordered by."""
    now = exchange.current()
    if now is not None:
        now.announced = True
    events = [(event, key), *more]
    count = len(events)
    return {
        "event_id": [uuid7() for _ in events],
        "event_subject": [e.subject for e, _ in events],
        "event_key": [str(k) for _, k in events],
        "event_data": [msgspec.json.encode(e).decode() for e, _ in events],
        "event_request_id": [now.request_id if now else ""] * count,
        "event_traceparent": [now.traceparent if now else ""] * count,
    }


_EVENTS = unnested("event", _TYPES)
_ANNOUNCE = sa.insert(OutboxRow).from_select(
    _COLUMNS, _given(_EVENTS, sa.cast(_EVENTS.c.event_data, JSONB))
)


async def announce(
    db: Queries, event: Event, key: UUID | str, *more: tuple[Event, UUID | str]
) -> None:
    """Put events in the outbox beside other statements of one transaction."""
    await db.run(_ANNOUNCE, **announced(event, key, *more))
