"""The SQL of an account's end: statements above, the functions that run them below."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import bindparam

from auth.auditing import noted, noting
from auth.tables import AccountRow
from common.contracts.auth import UserDeleted
from common.database import Queries
from common.outbox import announced, announcing
from common.statements import document

_A = AccountRow
_HOLD = (
    sa.select(_A.id)
    .where(_A.id == bindparam("account_id", type_=sa.Uuid))
    .with_for_update(key_share=True)
)
# with it go its keys, tickets, identities and what its mails could prove
_REMOVE = announcing(
    sa.delete(_A)
    .where(_A.id == bindparam("account_id", type_=sa.Uuid))
    .returning(_A.id, document(username=_A.username, email=_A.email).label("before")),
    noting(before="before"),
)


async def hold(tx: Queries, account_id: UUID) -> bool:
    """Hold the account until the transaction ends; false where it is gone already."""
    return await tx.one_or_none(_HOLD, _same, account_id=account_id) is not None


def _same(account_id: UUID) -> UUID:
    return account_id


async def remove(tx: Queries, account_id: UUID) -> None:
    """Delete the account that this transaction holds, announce and note it."""
    event = UserDeleted(user_id=account_id)
    await tx.run(
        _REMOVE,
        account_id=account_id,
        **announced(event, account_id),
        **noted("account.deleted", account_id, account_id),
    )
