"""The SQL of locking out: statements above, the functions that run them below."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import ARRAY, insert

from auth.accounts.schema import User
from auth.auditing import noted, noting
from auth.lockout.types import EVERYWHERE, Tried
from auth.settings import Settings
from auth.tables import USER, AccountRow, LoginFailureRow, SessionRow
from common.database import Database, Queries

_A = AccountRow
_F = LoginFailureRow
_S = SessionRow
_ADDRESS = bindparam("address", type_=sa.Text)
_EVERYWHERE = sa.literal_column(f"'{EVERYWHERE}'", sa.Text)
_WINDOW = sa.func.make_interval(0, 0, 0, 0, 0, 0, bindparam("window_s", type_=sa.BigInteger))
_TEXTS = ARRAY(sa.Text)
_IS_RECENT = _F.last_at > sa.func.now() - _WINDOW
_ACCOUNT = (*USER, _A.password_hash, _A.is_disabled)


def _left_s(last_at: "sa.SQLColumnExpression[datetime]") -> "sa.ColumnElement[int]":
    left = sa.func.extract("epoch", last_at + _WINDOW - sa.func.now())
    return sa.cast(sa.func.ceil(left), sa.BigInteger)


def _attempt(is_it: "sa.ColumnElement[bool]") -> "sa.Select[*tuple[Any, ...]]":
    """Find the account, and for how long each rule forbids an attempt; NULL where it does not."""
    found = sa.select(*_ACCOUNT).where(is_it).cte("found")
    known = sa.select(sa.func.sha256(sa.func.uuid_send(found.c.id))).scalar_subquery()
    typed = bindparam("typed", type_=sa.LargeBinary)
    login = sa.func.coalesce(known, typed, type_=sa.LargeBinary)
    tried = sa.select(login.label("login")).cte("tried")

    def failed(address: "sa.ColumnElement[str]", most: str) -> "sa.ScalarSelect[int]":
        is_full = _F.count >= bindparam(most, type_=sa.BigInteger)
        is_this = (_F.login == tried.c.login) & (_F.address == address)
        return sa.select(_left_s(_F.last_at)).where(is_this, is_full, _IS_RECENT).scalar_subquery()

    most = bindparam("spread_max", type_=sa.BigInteger)
    others = (
        sa.select(_F.last_at)
        .where(_F.address == _ADDRESS, _F.login != tried.c.login, _IS_RECENT)
        .order_by(_F.last_at.desc())
        .limit(most)
        .lateral("others")
    )
    oldest = sa.func.min(others.c.last_at)
    spread = sa.select(_left_s(oldest)).having(sa.func.count() >= most).scalar_subquery()
    everywhere = failed(_EVERYWHERE, "everywhere_max")
    homes = sa.select(_S.address).where(_S.account_id == found.c.id).distinct()
    return sa.select(
        *found.c,
        tried.c.login,
        failed(_ADDRESS, "here_max"),
        spread,
        everywhere,
        # asked for only where it matters
        sa.case((everywhere.is_not(None), sa.func.array(homes.scalar_subquery(), type_=_TEXTS))),
    ).select_from(tried.outerjoin(found, sa.true()))


_LOGIN = bindparam("login", type_=sa.Text)
_BY_LOGIN = _attempt(
    sa.or_(
        sa.func.lower(_A.email) == sa.func.lower(_LOGIN),
        sa.func.lower(_A.username) == sa.func.lower(_LOGIN),
    )
)
_BY_ID = _attempt(_A.id == bindparam("id", type_=sa.Uuid))


class Attempt(msgspec.Struct, frozen=True):
    """Whose login it is, if anybody's, and how many seconds each rule still forbids an attempt."""

    id: UUID | None
    email: str
    username: str
    display_name: str
    avatar_url: str | None
    role: str
    email_verified: bool
    created_at: datetime
    updated_at: datetime
    password_hash: str | None
    is_disabled: bool
    login: bytes
    here_s: int | None
    spread_s: int | None
    everywhere_s: int | None
    # where the account has been logged in, if it is locked out everywhere
    homes: list[str] | None

    @property
    def user(self) -> User:
        """The account, as its owner sees it."""
        return msgspec.convert(self, User, from_attributes=True)


def _failing() -> "sa.Select[*tuple[Any, ...]]":
    """Count a failure for the address and for everywhere; note it of an account, and its lock."""
    row = insert(_F).values(
        [
            {"login": bindparam("tried", type_=sa.LargeBinary), "address": address, "count": 1}
            for address in (_EVERYWHERE, _ADDRESS)
        ]
    )
    failed = (
        row.on_conflict_do_update(
            index_elements=[_F.login, _F.address],
            set_={"count": sa.case((_IS_RECENT, _F.count + 1), else_=1), "last_at": sa.func.now()},
        )
        .returning(_F.address, _F.count)
        .cte("failed")
    )
    here = failed.c.address == _ADDRESS
    # who comes after that finds it locked: it is reached once
    is_full = failed.c.count == sa.case(
        (here, bindparam("here_max", type_=sa.BigInteger)),
        else_=bindparam("everywhere_max", type_=sa.BigInteger),
    )
    whose = bindparam("audit_account", type_=sa.Uuid).is_not(None)
    is_known = sa.select(failed.c.address).where(here, whose).cte("is_known")
    is_locked = sa.select(failed.c.address).where(is_full, whose).cte("is_locked")
    notes = (noting()(is_known), noting("lock", address="address")(is_locked))
    return sa.select(failed.c.count).add_cte(*notes)


_FAIL = _failing()
# in the order in which a failure takes them, so that neither waits for the other for ever
_FAILED = (
    sa.select(_F.address)
    .where(_F.login == bindparam("tried", type_=sa.LargeBinary))
    .order_by(_F.address != _EVERYWHERE, _F.address)
    .with_for_update()
)
_FORGET = sa.delete(_F).where(
    _F.login == bindparam("tried", type_=sa.LargeBinary), _F.address.in_(_FAILED)
)


async def attempt(
    db: Database, settings: Settings, login: str, typed: bytes, address: str
) -> Attempt:
    """Find whose e-mail or username a login is, and whether it may be tried."""
    return await db.one(
        _BY_LOGIN, Attempt, login=login, typed=typed, address=address, **_limits(settings)
    )


async def attempt_of(
    db: Database, settings: Settings, account_id: UUID, typed: bytes, address: str
) -> Attempt:
    """Find an account, and whether its password may be tried."""
    return await db.one(
        _BY_ID, Attempt, id=account_id, typed=typed, address=address, **_limits(settings)
    )


async def fail(db: Database, settings: Settings, tried: Tried, account_id: UUID | None) -> None:
    """Count a failure, and note it if there is an account that it is about."""
    limits = _limits(settings)
    await db.run(
        _FAIL,
        tried=tried.login,
        address=tried.address,
        **{name: limits[name] for name in ("window_s", "here_max", "everywhere_max")},
        **noted("login.failed", account_id, None),
        **noted("login.locked", account_id, None, "lock"),
    )


async def forget(tx: Queries, login: bytes) -> None:
    """Forget the failures of a login."""
    await tx.run(_FORGET, tried=login)


def _limits(settings: Settings) -> dict[str, int]:
    return {
        "window_s": settings.login_failures_window_s,
        "here_max": settings.login_failures_max,
        "spread_max": settings.login_failures_spread_max,
        "everywhere_max": settings.login_failures_everywhere_max,
    }
