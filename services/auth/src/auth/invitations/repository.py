"""The SQL of invitations: whose an address is."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import bindparam

from auth.invitations.schema import Claimant
from auth.tables import AccountRow
from common.database import Database

_A = AccountRow
_CLAIMANT = sa.select(
    _A.username,
    _A.display_name,
    sa.and_(
        _A.is_email_verified,
        sa.func.lower(_A.email) == sa.func.lower(bindparam("email", type_=sa.Text)),
    ),
).where(_A.id == bindparam("account_id", type_=sa.Uuid), ~_A.is_disabled)


async def claimant(db: Database, account_id: UUID, email: str) -> Claimant | None:
    """Return whose account it is, and whether they have proven that the address is theirs."""
    return await db.one_or_none(_CLAIMANT, Claimant, account_id=account_id, email=email)
