"""What a service announced, as its outbox has it."""

from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from common.contracts.base import Event
from common.database import Queries
from common.outbox import OutboxRow

_O = OutboxRow
_ABOUT = (
    sa.select(_O.subject, _O.data)
    .where(_O.key == sa.bindparam("key", type_=sa.Text))
    .order_by(_O.position)
)
_ALL = sa.select(_O.subject, _O.data).order_by(_O.position)


class Announced(msgspec.Struct, frozen=True):
    """An event in the outbox."""

    subject: str
    data: dict[str, Any]


async def about(db: Queries, key: UUID | str) -> list[Announced]:
    """Return what was announced under ``key``, in its order."""
    return await db.all(_ABOUT, Announced, key=str(key))


async def every(db: Queries) -> list[Announced]:
    """Return everything that the service announced."""
    return await db.all(_ALL, Announced)


def strays(announced: list[Announced], kinds: list[type[Event]]) -> list[Announced]:
    """Return the events that are none of ``kinds``, or say more or less than those do."""
    by_subject = {kind.subject: kind for kind in kinds}
    return [event for event in announced if not _fits(event, by_subject.get(event.subject))]


def _fits(event: Announced, kind: type[Event] | None) -> bool:
    if kind is None:
        return False
    try:
        decoded = msgspec.convert(event.data, kind)
    except msgspec.ValidationError:
        return False
    return set(event.data) <= set(msgspec.to_builtins(decoded))


def kinds_of(module: Any) -> list[type[Event]]:  # noqa: ANN401 - a module of contracts
    """Return every event that a module of ``common.contracts`` defines."""
    found = [kind for kind in vars(module).values() if isinstance(kind, type)]
    return [kind for kind in found if issubclass(kind, Event) and hasattr(kind, "subject")]
