"""Each event once: whoever acts on an event claims its id in the same transaction."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from common.database import Queries
from common.outbox import InboxRow

_CLAIM = (
    insert(InboxRow)
    .values(id=sa.bindparam("id", type_=sa.Uuid))
    .on_conflict_do_nothing()
    .returning(InboxRow.id)
)


async def claim(db: Queries, event_id: UUID) -> bool:
    """Take the event; false where it was taken before."""
    return await db.one_or_none(_CLAIM, _same, id=event_id) is not None


def _same(event_id: UUID) -> UUID:
    return event_id
