"""Whoever counts and then adds does so alone: two at once would not see each other."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import bindparam

from common.database import Queries

# a statement of its own: what the next one counts is what others did before they let go
_TAKE = sa.select(
    sa.func.pg_advisory_xact_lock(
        sa.func.hashtextextended(
            bindparam("what", type_=sa.Text), sa.literal_column("0", sa.BigInteger())
        )
    )
)


async def take(tx: Queries, what: str, whose: UUID) -> None:
    """Let nobody else count ``what`` of a project or a user until this transaction is over."""
    await tx.run(_TAKE, what=f"assets.{what}.{whose}")
