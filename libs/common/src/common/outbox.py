"""Events leave in the statement that causes them; the relay carries them to JetStream later."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.sql.dml import ReturningDelete, ReturningInsert, ReturningUpdate

from common import exchange
from common.contracts.base import Event
from common.database import Queries
from common.ids import uuid7


class Tables(DeclarativeBase):
    """The base of a service's tables; every service's schema holds an outbox and an inbox."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
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


_COLUMNS = ["id", "subject", "key", "data", "request_id", "traceparent"]


def _data() -> sa.ColumnElement[Any]:
    return sa.cast(sa.bindparam("event_data", type_=sa.Text), JSONB)


def _given(data: sa.ColumnElement[Any] | None = None) -> "sa.Select[Any]":
    return sa.select(
        sa.bindparam("event_id", type_=sa.Uuid),
        sa.bindparam("event_subject", type_=sa.Text),
        sa.bindparam("event_key", type_=sa.Text),
        _data() if data is None else data,
        sa.bindparam("event_request_id", type_=sa.Text),
        sa.bindparam("event_traceparent", type_=sa.Text),
    )


def insertion(rows: "sa.Select[Any]") -> sa.CTE:
    """Write events; ``rows`` selects id, subject, key, data, request_id, traceparent."""
    return sa.insert(OutboxRow).from_select(_COLUMNS, rows).cte("announced")


def announcing[*Ts](
    statement: ReturningInsert[*Ts] | ReturningUpdate[*Ts] | ReturningDelete[*Ts],
    **facts: str,
) -> sa.Select[*Ts]:
    """Run ``statement`` and put an event in the outbox, both or neither; no row, no event.

    The event's own facts come from ``announced(event, key)`` at the call. ``facts`` adds what only
    the row knows: the event's member (as it is spelt in JSON) = the returned column's name.
    """
    written = statement.cte("written")
    data = _data()
    if facts:
        pairs = [x for name, column in facts.items() for x in (name, written.c[column])]
        data = data.op("||", return_type=JSONB())(sa.func.jsonb_build_object(*pairs))
    rows = _given(data).select_from(written)
    return cast("sa.Select[*Ts]", sa.select(written).add_cte(insertion(rows)))


def announced(event: Event, key: UUID | str) -> dict[str, Any]:
    """Give the parameters of an ``announcing`` statement: the event, and what it is ordered by."""
    now = exchange.current()
    if now is not None:
        now.announced = True
    return {
        "event_id": uuid7(),
        "event_subject": event.subject,
        "event_key": str(key),
        "event_data": msgspec.json.encode(event).decode(),
        "event_request_id": now.request_id if now else "",
        "event_traceparent": now.traceparent if now else "",
    }


_ANNOUNCE = sa.insert(OutboxRow).from_select(_COLUMNS, _given())


async def announce(db: Queries, event: Event, key: UUID | str) -> None:
    """Put an event in the outbox beside other statements of one transaction."""
    await db.run(_ANNOUNCE, **announced(event, key))
