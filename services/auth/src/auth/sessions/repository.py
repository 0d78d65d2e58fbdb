"""The SQL of sessions: statements above, the functions that run them below."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam

from auth.auditing import note, noted, noting
from auth.lockout.types import Proven
from auth.sessions.schema import Session
from auth.sessions.types import UNKNOWN
from auth.tables import AccountRow, LoginFailureRow, RefreshTokenRow, SessionRow
from common.contracts.auth import SessionRevoked, SessionStarted
from common.database import Database, Queries
from common.outbox import announce, announced, announcing

_A = AccountRow
_F = LoginFailureRow
_S = SessionRow
_T = RefreshTokenRow


def _first_token(written: sa.CTE) -> sa.CTE:
    token = sa.select(bindparam("hash", type_=sa.LargeBinary), written.c.id)
    return sa.insert(_T).from_select(["hash", "session_id"], token).cte("first_token")


def _forgotten(written: sa.CTE) -> sa.CTE:
    return (
        sa.delete(_F)
        .where(
            _F.login == bindparam("tried", type_=sa.LargeBinary),
            _F.address == bindparam("tried_from", type_=sa.Text),
            sa.exists(sa.select(written.c.id)),
        )
        .cte("forgotten")
    )


def _renewed(written: sa.CTE) -> sa.CTE:
    return (
        sa.update(_A)
        .where(_A.id == written.c.account_id)
        .values(password_hash=bindparam("renewed", type_=sa.Text))
        .cte("renewed")
    )


def _starting(*also: Callable[[sa.CTE], sa.CTE]) -> "sa.Select[UUID, UUID]":
    """Start a session of an account that is as it was when somebody proved to be its owner.

    Who disables or deletes it, or changes its password, holds its row: nobody slips in while that
    happens. Who changes it here too holds it in the same way from the start.
    """
    kept = bindparam("kept", type_=sa.Text)
    account = (
        sa.select(
            bindparam("session_id", type_=sa.Uuid),
            _A.id,
            bindparam("user_agent", type_=sa.Text),
            bindparam("address", type_=sa.Text),
            sa.func.now()
            + sa.func.make_interval(0, 0, 0, 0, 0, 0, bindparam("lifetime_s", type_=sa.BigInteger)),
        )
        .where(_A.id == bindparam("account_id", type_=sa.Uuid), ~_A.is_disabled)
        .where(kept.is_(None) | (_A.password_hash == kept))
        .with_for_update(read=not also, key_share=bool(also))
    )
    columns = ["id", "account_id", "user_agent", "address", "expires_at"]
    begun = sa.insert(_S).from_select(columns, account).returning(_S.id, _S.account_id)
    return announcing(begun, _first_token, _forgotten, *also, noting())


_START = _starting()
_START_RENEWED = _starting(_renewed)
_REVOKE = announcing(
    sa.update(_S)
    .where(
        _S.id == bindparam("session_id", type_=sa.Uuid),
        _S.account_id == bindparam("account_id", type_=sa.Uuid),
        _S.revoked_at.is_(None),
    )
    .values(revoked_at=sa.func.now())
    .returning(_S.id),
    noting(),
)
_LIVE = sa.and_(
    _S.account_id == bindparam("account_id", type_=sa.Uuid),
    _S.revoked_at.is_(None),
    _S.expires_at > sa.func.now(),
)
# in one order, so that two who end the same sessions do not wait for each other for ever.
# Those that expired are among them: their last access token may not have
_ENDING = (
    sa.select(_S.id)
    .where(
        _S.account_id == bindparam("account_id", type_=sa.Uuid),
        _S.revoked_at.is_(None),
        _S.id.is_distinct_from(bindparam("spared", type_=sa.Uuid)),
    )
    .order_by(_S.id)
    # a ticket's foreign key may still look at the row
    .with_for_update(key_share=True)
)
_END = sa.update(_S).where(_S.id.in_(_ENDING)).values(revoked_at=sa.func.now()).returning(_S.id)
_OF_TOKEN = (
    sa.select(_S.id, _S.account_id)
    .join(_T, _T.session_id == _S.id)
    .where(
        _T.hash == bindparam("presented", type_=sa.LargeBinary),
        _S.revoked_at.is_(None),
        _S.expires_at > sa.func.now(),
    )
)
_LIST = (
    sa.select(
        _S.id,
        _S.user_agent,
        _S.address,
        sa.cast(_S.id, sa.Text) == bindparam("current", type_=sa.Text),
        _S.created_at,
        _S.last_seen_at,
        _S.expires_at,
    )
    .where(_LIVE)
    .order_by(_S.last_seen_at.desc(), _S.id)
)


class Owner(msgspec.Struct, frozen=True):
    """A session and whose it is."""

    session_id: UUID
    account_id: UUID


async def start(
    db: Queries,
    session_id: UUID,
    account_id: UUID,
    token_hash: bytes,
    user_agent: str,
    address: str,
    lifetime_s: int,
    proven: Proven | None,
) -> bool:
    """Start a session with its first refresh token, and announce it.

    False where the account is not there any more, or has another password than was ``proven``.
    """
    event = SessionStarted(user_id=account_id, session_id=session_id, address=address)
    started = await db.one_or_none(
        _START_RENEWED if proven and proven.renewed else _START,
        _first,
        session_id=session_id,
        account_id=account_id,
        hash=token_hash,
        user_agent=user_agent,
        address=address,
        lifetime_s=lifetime_s,
        tried=proven.tried.login if proven else None,
        tried_from=proven.tried.address if proven else None,
        kept=proven.kept if proven else None,
        renewed=proven.renewed if proven else None,
        **announced(event, account_id),
        **noted("session.started", account_id, account_id, sessionId=session_id),
    )
    return started is not None


def _first(session_id: UUID, _: UUID) -> UUID:
    return session_id


def _same(session_id: UUID) -> UUID:
    return session_id


async def revoke(db: Queries, account_id: UUID, session_id: UUID, reason: str) -> bool:
    """End a session and announce it; false where it was not a live one of the account."""
    event = SessionRevoked(user_id=account_id, session_id=session_id, reason=reason)
    details = {"sessionIds": [session_id], "reason": reason}
    ended = await db.one_or_none(
        _REVOKE,
        _same,
        session_id=session_id,
        account_id=account_id,
        **announced(event, account_id),
        **noted("session.revoked", account_id, account_id, **details),
    )
    return ended is not None


async def end(
    tx: Queries, account_id: UUID, spared: UUID | None, reason: str, actor_id: UUID
) -> bool:
    """End all sessions of the account but one, announce each, and note it once.

    False where there was none.
    """
    ended = await tx.all(_END, _same, account_id=account_id, spared=spared)
    if not ended:
        return False
    events = [
        (SessionRevoked(user_id=account_id, session_id=one, reason=reason), account_id)
        for one in ended
    ]
    await announce(tx, *events[0], *events[1:])
    details = {"sessionIds": ended, "reason": reason}
    await note(tx, "session.revoked", account_id, actor_id, **details)
    return True


async def of_token(db: Database, presented: bytes) -> Owner | None:
    """Return whose a refresh token of a live session is."""
    return await db.one_or_none(_OF_TOKEN, Owner, presented=presented)


async def listed(db: Database, account_id: UUID, current: str) -> list[Session]:
    """Return the account's live sessions, the one seen last first; their devices have no names."""
    return await db.all(_LIST, _session, account_id=account_id, current=current)


def _session(
    session_id: UUID,
    user_agent: str,
    address: str,
    is_current: bool | None,  # noqa: FBT001 - a column in its place
    created_at: datetime,
    last_seen_at: datetime,
    expires_at: datetime,
) -> Session:
    return Session(
        session_id,
        UNKNOWN,
        user_agent,
        address,
        bool(is_current),
        created_at,
        last_seen_at,
        expires_at,
    )
