"""The SQL of e-mail addresses: statements above, the functions that run them below."""

from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam

from auth.accounts.schema import User
from auth.errors import EmailTakenError
from auth.tables import USER, AccountRow, MailTokenRow
from common.database import Queries
from common.statements import one_of, word

_A = AccountRow
_T = MailTokenRow


def _confirm() -> "sa.Select[*tuple[Any, ...]]":
    """Use a token up, and let its address be the account's, known to be its owner's.

    The account is locked before the token, as by whoever deletes an account.
    """
    is_change = _T.purpose == word("change")
    found = (
        sa.select(
            _A.id,
            _A.email,
            _A.is_email_verified.label("was_verified"),
            _T.hash,
            _T.email.label("proven"),
            is_change.label("is_change"),
        )
        .join(_T, _T.account_id == _A.id)
        .where(
            _T.hash == bindparam("hash", type_=sa.LargeBinary),
            one_of(_T.purpose, "verify", "change"),
            _T.expires_at > sa.func.now(),
            is_change | (sa.func.lower(_T.email) == sa.func.lower(_A.email)),
            ~_A.is_disabled,
        )
        .with_for_update(of=_A, key_share=True)
        .cte("found")
    )
    used = sa.delete(_T).where(_T.hash == found.c.hash).returning(_T.hash).cte("used")
    f = found.c
    written = (
        sa.update(_A)
        .where(_A.id == f.id, f.hash == used.c.hash)
        .values(
            email=sa.case((f.is_change, f.proven), else_=_A.email),
            is_email_verified=sa.true(),
            updated_at=sa.func.now(),
        )
        .returning(*USER, f.is_change, f.email.label("before"), f.was_verified)
        .cte("written")
    )
    return sa.select(written)


_CONFIRM = _confirm()
_TAKEN = sa.select(_A.id).where(
    sa.func.lower(_A.email) == sa.func.lower(bindparam("email", type_=sa.Text)),
    _A.id != bindparam("account_id", type_=sa.Uuid),
)
# while it is held, nobody gives the account another password
_HOLD = (
    sa.select(_A.id)
    .where(
        _A.id == bindparam("account_id", type_=sa.Uuid),
        _A.password_hash == bindparam("kept", type_=sa.Text),
        ~_A.is_disabled,
    )
    .with_for_update(read=True)
)


class Confirmed(msgspec.Struct, frozen=True):
    """An account whose address was confirmed, which it had before, and whether that was too."""

    id: UUID
    email: str
    username: str
    display_name: str
    avatar_url: str | None
    role: str
    email_verified: bool
    created_at: datetime
    updated_at: datetime
    is_change: bool
    before: str
    was_verified: bool

    @property
    def user(self) -> User:
        """The account, as its owner sees it."""
        return msgspec.convert(self, User, from_attributes=True)


async def confirm(tx: Queries, token_hash: bytes) -> Confirmed | None:
    """Confirm the address that a token is good for; raises ``EmailTakenError``."""
    try:
        return await tx.one_or_none(_CONFIRM, Confirmed, hash=token_hash)
    except asyncpg.UniqueViolationError as exc:
        raise EmailTakenError from exc


async def is_taken(tx: Queries, email: str, account_id: UUID) -> bool:
    """Whether another account has this address."""
    found = await tx.one_or_none(_TAKEN, _same, email=email, account_id=account_id)
    return found is not None


async def hold(tx: Queries, account_id: UUID, kept: str) -> bool:
    """Keep the account's password from being changed; false where it was."""
    held = await tx.one_or_none(_HOLD, _same, account_id=account_id, kept=kept)
    return held is not None


def _same(account_id: UUID) -> UUID:
    return account_id
