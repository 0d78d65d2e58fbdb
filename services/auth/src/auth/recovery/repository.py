"""The SQL of changing passwords: statements above, the functions that run them below."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam

from auth.accounts.schema import User
from auth.tables import USER, AccountRow, MailTokenRow
from common.database import Queries
from common.statements import one_of, word

_A = AccountRow
_T = MailTokenRow
_IS_GOOD = sa.and_(
    _T.hash == bindparam("hash", type_=sa.LargeBinary),
    _T.purpose == word("reset"),
    _T.expires_at > sa.func.now(),
    # it is good for the address that it went to
    sa.func.lower(_T.email) == sa.func.lower(_A.email),
    ~_A.is_disabled,
)
_NEW_HASH = bindparam("password_hash", type_=sa.Text)
_OWNER = sa.select(*USER).join(_T, _T.account_id == _A.id).where(_IS_GOOD)


def _reset() -> "sa.Select[*tuple[Any, ...]]":
    """Use a token up, and let the account have another password and a verified address.

    The account is locked before the token, as by whoever deletes an account.
    """
    found = (
        sa.select(_A.id, _T.hash, _A.is_email_verified.label("was_verified"))
        .join(_T, _T.account_id == _A.id)
        .where(_IS_GOOD)
        .with_for_update(of=_A, key_share=True)
        .cte("found")
    )
    f = found.c
    used = sa.delete(_T).where(_T.hash == f.hash).returning(_T.hash).cte("used")
    written = (
        sa.update(_A)
        .where(_A.id == f.id, f.hash == used.c.hash)
        .values(password_hash=_NEW_HASH, is_email_verified=sa.true(), updated_at=sa.func.now())
        .returning(*USER, f.was_verified)
        .cte("written")
    )
    return sa.select(written)


_RESET = _reset()
_CHANGE = (
    sa.update(_A)
    .where(
        _A.id == bindparam("account_id", type_=sa.Uuid),
        # the one that was proven: of two changes at once, or a reset meanwhile, one counts
        _A.password_hash == bindparam("kept", type_=sa.Text),
        ~_A.is_disabled,
    )
    .values(password_hash=_NEW_HASH, updated_at=sa.func.now())
    .returning(*USER)
)
_VOID = sa.delete(_T).where(
    _T.account_id == bindparam("account_id", type_=sa.Uuid), one_of(_T.purpose, "reset", "change")
)


class Recovered(msgspec.Struct, frozen=True):
    """An account with another password, and whether its address was verified before."""

    id: UUID
    email: str
    username: str
    display_name: str
    avatar_url: str | None
    role: str
    email_verified: bool
    created_at: datetime
    updated_at: datetime
    was_verified: bool

    @property
    def user(self) -> User:
        """The account, as its owner sees it."""
        return msgspec.convert(self, User, from_attributes=True)


async def owner(db: Queries, token_hash: bytes) -> User | None:
    """Return whose password a token may set."""
    return await db.one_or_none(_OWNER, User, hash=token_hash)


async def reset(tx: Queries, token_hash: bytes, password_hash: str) -> Recovered | None:
    """Set the password of whose token it is; ``None`` where it is good no more."""
    return await tx.one_or_none(_RESET, Recovered, hash=token_hash, password_hash=password_hash)


async def change(tx: Queries, account_id: UUID, kept: str, password_hash: str) -> User | None:
    """Set another password in the place of the one that was proven, if that is still it."""
    return await tx.one_or_none(
        _CHANGE, User, account_id=account_id, kept=kept, password_hash=password_hash
    )


async def void(tx: Queries, account_id: UUID) -> None:
    """Let no token be good any more that would let somebody else take the account."""
    await tx.run(_VOID, account_id=account_id)
