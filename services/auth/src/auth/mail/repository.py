"""The SQL of mails: statements above, the functions that run them below."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import insert

from auth.mail.schema import Addressee, Waiting
from auth.tables import AccountRow, MailRow, MailTokenRow, RecipientRow
from common.database import Database, Queries
from common.statements import word

_A = AccountRow
_M = MailRow
_T = MailTokenRow
_ID = bindparam("id", type_=sa.Uuid)


def _after(seconds: str) -> "sa.ColumnElement[Any]":
    given = bindparam(seconds, type_=sa.Double)
    return sa.func.now() + sa.func.make_interval(0, 0, 0, 0, 0, 0, given)


_PUT = sa.insert(_M).values(
    id=_ID,
    kind=bindparam("kind", type_=sa.Text),
    sealed=bindparam("sealed", type_=sa.LargeBinary),
    expires_at=_after("lifetime_s"),
)


def _prove() -> "sa.Select[UUID]":
    """Put a mail in with its token, unless the account got enough of them within the hour."""
    new = insert(_T).values(
        hash=bindparam("hash", type_=sa.LargeBinary),
        account_id=bindparam("account_id", type_=sa.Uuid),
        purpose=bindparam("kind", type_=sa.Text),
        email=bindparam("email", type_=sa.Text),
        expires_at=_after("lifetime_s"),
    )
    is_over = _T.counted_from < sa.func.now() - sa.func.make_interval(0, 0, 0, 0, 1)
    token = (
        new.on_conflict_do_update(
            index_elements=[_T.account_id, _T.purpose],
            set_={
                "hash": new.excluded.hash,
                "email": new.excluded.email,
                "created_at": sa.func.now(),
                "expires_at": new.excluded.expires_at,
                "count": sa.case((is_over, 1), else_=_T.count + 1),
                "counted_from": sa.case((is_over, sa.func.now()), else_=_T.counted_from),
            },
            where=is_over | (_T.count < bindparam("count_max", type_=sa.BigInteger)),
        )
        .returning(_T.expires_at)
        .cte("token")
    )
    mail = sa.select(
        _ID,
        bindparam("kind", type_=sa.Text),
        bindparam("sealed", type_=sa.LargeBinary),
        token.c.expires_at,
    )
    put = (
        sa.insert(_M)
        .from_select(["id", "kind", "sealed", "expires_at"], mail)
        .returning(_M.id)
        .cte("put")
    )
    return sa.select(put.c.id)


_PROVE = _prove()


def _count() -> "sa.Select[int]":
    """Count a mail to an address, unless it got enough of them within the hour."""
    new = insert(RecipientRow).values(hash=bindparam("hash", type_=sa.LargeBinary))
    row = RecipientRow
    is_over = row.counted_from < sa.func.now() - sa.func.make_interval(0, 0, 0, 0, 1)
    counted = (
        new.on_conflict_do_update(
            index_elements=[row.hash],
            set_={
                "count": sa.case((is_over, 1), else_=row.count + 1),
                "counted_from": sa.case((is_over, sa.func.now()), else_=row.counted_from),
            },
            where=is_over | (row.count < bindparam("count_max", type_=sa.BigInteger)),
        )
        .returning(row.count)
        .cte("counted")
    )
    return sa.select(counted.c.count)


_COUNT = _count()
_DUE = (
    sa.select(_M.id)
    .where(_M.next_at <= sa.func.now())
    .order_by(_M.next_at)
    .limit(bindparam("count_max", type_=sa.BigInteger))
    .with_for_update(skip_locked=True)
)
_CLAIM = (
    sa.update(_M)
    .where(_M.id.in_(_DUE))
    .values(attempts=_M.attempts + 1, next_at=_after("lease_s"))
    .returning(
        _M.id, _M.kind, _M.sealed, _M.created_at, _M.attempts, _M.expires_at <= sa.func.now()
    )
)
# a little sooner or later, so that those that failed together do not come back together
_POSTPONE = (
    sa.update(_M)
    .where(_M.id == _ID)
    .values(
        next_at=sa.func.now()
        + sa.func.make_interval(0, 0, 0, 0, 0, 0, bindparam("rest_s", type_=sa.Double))
        * (0.5 + sa.func.random())
    )
)
_REMOVE = sa.delete(_M).where(_M.id == _ID)
_PURPOSE = bindparam("purpose", type_=sa.Text)
_WANTED = sa.select(_A.id, _A.email, _A.username, _A.is_email_verified).where(
    sa.or_(
        sa.func.lower(_A.email) == sa.func.lower(bindparam("email", type_=sa.Text)),
        sa.cast(_A.id, sa.Text) == bindparam("account_id", type_=sa.Text),
    ),
    ~_A.is_disabled,
    (word("verify") != _PURPOSE) | ~_A.is_email_verified,
)


def _same(mail_id: UUID) -> UUID:
    return mail_id


async def put(tx: Queries, mail_id: UUID, kind: str, sealed: bytes, lifetime_s: int) -> None:
    """Let a mail wait to be sent."""
    await tx.run(_PUT, id=mail_id, kind=kind, sealed=sealed, lifetime_s=lifetime_s)


async def prove(
    tx: Queries,
    mail_id: UUID,
    purpose: str,
    sealed: bytes,
    *,
    token_hash: bytes,
    account_id: UUID,
    email: str,
    lifetime_s: int,
    count_max: int,
) -> bool:
    """Let a mail wait with its token, and no older one be good; false where there were enough."""
    made = await tx.one_or_none(
        _PROVE,
        _same,
        id=mail_id,
        kind=purpose,
        sealed=sealed,
        hash=token_hash,
        account_id=account_id,
        email=email,
        lifetime_s=lifetime_s,
        count_max=count_max,
    )
    return made is not None


async def count(db: Queries, address_hash: bytes, count_max: int) -> bool:
    """Count a mail to an address; false where it got enough."""
    counted = await db.one_or_none(_COUNT, int, hash=address_hash, count_max=count_max)
    return counted is not None


async def claim(db: Database, count_max: int, lease_s: float) -> list[Waiting]:
    """Take some of the mails that are due; nobody else gets them before the lease is over."""
    return await db.all(_CLAIM, Waiting, count_max=count_max, lease_s=lease_s)


async def postpone(db: Database, mail_id: UUID, rest_s: float) -> None:
    """Let a mail rest for about so long."""
    await db.run(_POSTPONE, id=mail_id, rest_s=rest_s)


async def remove(db: Queries, mail_id: UUID) -> None:
    """Forget a mail."""
    await db.run(_REMOVE, id=mail_id)


async def wanted(tx: Queries, purpose: str, email: str, account_id: str) -> Addressee | None:
    """Return whom a mail that was asked for goes to, if it goes to anybody."""
    return await tx.one_or_none(
        _WANTED, Addressee, purpose=purpose, email=email, account_id=account_id
    )
