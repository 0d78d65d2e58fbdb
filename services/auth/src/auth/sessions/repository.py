"""The SQL of sessions: statements above, the functions that run them below."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import aliased

from auth.sessions.schema import Session
from auth.tables import AccountRow, RefreshTokenRow, SessionRow
from common import exchange
from common.contracts.auth import SessionRevoked, SessionStarted, TokenReused
from common.database import Database, Queries
from common.ids import uuid7
from common.outbox import announced, announcing, insertion
from common.statements import word

_S = SessionRow
_T = RefreshTokenRow


def _first_token(written: sa.CTE) -> sa.CTE:
    token = sa.select(bindparam("hash", type_=sa.LargeBinary), written.c.id)
    return sa.insert(_T).from_select(["hash", "session_id"], token).cte("first_token")


_START = announcing(
    sa.insert(_S)
    .values(
        id=bindparam("session_id", type_=sa.Uuid),
        account_id=bindparam("account_id", type_=sa.Uuid),
        user_agent=bindparam("user_agent", type_=sa.Text),
        address=bindparam("address", type_=sa.Text),
        expires_at=sa.func.now()
        + sa.func.make_interval(0, 0, 0, 0, 0, 0, bindparam("lifetime_s", type_=sa.BigInteger)),
    )
    .returning(_S.id),
    _first_token,
)


def _rotate() -> "sa.Select[str, UUID, UUID, str]":
    """Let a refresh token be followed by its successor, or end the session it was stolen from.

    ``fresh`` was not used before; ``repeat`` was used just now, and its successor not yet: the
    reply was lost, or ten tabs ask at once; ``reused`` comes after its successor was used.
    """
    presented = bindparam("presented", type_=sa.LargeBinary)
    successor = aliased(_T)
    grace = sa.func.make_interval(0, 0, 0, 0, 0, 0, bindparam("grace_s", type_=sa.BigInteger))
    followed = sa.exists().where(successor.parent == _T.hash, successor.used_at.is_not(None))
    verdict = sa.case(
        (_S.revoked_at.is_not(None) | (_S.expires_at < sa.func.now()), word("dead")),
        (AccountRow.is_disabled, word("dead")),
        (_T.used_at.is_(None), word("fresh")),
        (~followed & (_T.used_at > sa.func.now() - grace), word("repeat")),
        else_=word("reused"),
    )
    found = (
        sa.select(_T.hash, _T.session_id, _S.account_id, AccountRow.role, verdict.label("verdict"))
        .join(_S, _S.id == _T.session_id)
        .join(AccountRow, AccountRow.id == _S.account_id)
        .where(_T.hash == presented)
        .cte("found")
    )
    f = found.c
    used = (
        sa.update(_T)
        .where(_T.hash == f.hash, f.verdict == word("fresh"))
        .values(used_at=sa.func.coalesce(_T.used_at, sa.func.now()))
        .cte("used")
    )
    next_token = (
        insert(_T)
        .from_select(
            ["hash", "session_id", "parent"],
            sa.select(bindparam("successor", type_=sa.LargeBinary), f.session_id, f.hash).where(
                f.verdict == word("fresh")
            ),
        )
        .on_conflict_do_nothing()
        .cte("next_token")
    )
    seen = (
        sa.update(_S)
        .where(_S.id == f.session_id, f.verdict == word("fresh"))
        .values(last_seen_at=sa.func.now())
        .cte("seen")
    )
    revoked = (
        sa.update(_S)
        .where(_S.id == f.session_id, f.verdict == word("reused"))
        .values(revoked_at=sa.func.now())
        .returning(_S.id, _S.account_id)
        .cte("revoked")
    )
    events = insertion(_reuse_events(revoked))
    return sa.select(f.verdict, f.session_id, f.account_id, f.role).add_cte(
        used, next_token, seen, revoked, events
    )


def _reuse_events(revoked: sa.CTE) -> "sa.Select[Any]":
    r = revoked.c
    facts = sa.func.jsonb_build_object(
        word("userId"), r.account_id, word("sessionId"), r.id, type_=JSONB
    )
    ids = [
        sa.cast(r.account_id, sa.Text),
        facts,
        bindparam("request_id", type_=sa.Text),
        bindparam("traceparent", type_=sa.Text),
    ]
    reused = sa.select(
        bindparam("reuse_id", type_=sa.Uuid), sa.literal(TokenReused.subject, sa.Text), *ids
    )
    reason = facts.op("||")(sa.func.jsonb_build_object(word("reason"), word("reused"), type_=JSONB))
    ended = sa.select(
        bindparam("revoke_id", type_=sa.Uuid),
        sa.literal(SessionRevoked.subject, sa.Text),
        ids[0],
        reason,
        *ids[2:],
    )
    both = sa.union_all(reused, ended).subquery("both")
    return sa.select(both)


_ROTATE = _rotate()
_REVOKE = announcing(
    sa.update(_S)
    .where(
        _S.id == bindparam("session_id", type_=sa.Uuid),
        _S.account_id == bindparam("account_id", type_=sa.Uuid),
        _S.revoked_at.is_(None),
    )
    .values(revoked_at=sa.func.now())
    .returning(_S.id)
)
_LIVE = sa.select(_S.id).where(
    _S.account_id == bindparam("account_id", type_=sa.Uuid),
    _S.revoked_at.is_(None),
    _S.expires_at > sa.func.now(),
)
_OF_TOKEN = (
    sa.select(_S.id, _S.account_id)
    .join(_T, _T.session_id == _S.id)
    .where(_T.hash == bindparam("presented", type_=sa.LargeBinary))
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
    .where(
        _S.account_id == bindparam("account_id", type_=sa.Uuid),
        _S.revoked_at.is_(None),
        _S.expires_at > sa.func.now(),
    )
    .order_by(_S.last_seen_at.desc(), _S.id)
)


class Rotation(msgspec.Struct, frozen=True):
    """What became of a refresh token."""

    verdict: str
    session_id: UUID
    account_id: UUID
    role: str


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
) -> None:
    """Start a session with its first refresh token, and announce it."""
    event = SessionStarted(user_id=account_id, session_id=session_id, address=address)
    await db.one(
        _START,
        _same,
        session_id=session_id,
        account_id=account_id,
        hash=token_hash,
        user_agent=user_agent,
        address=address,
        lifetime_s=lifetime_s,
        **announced(event, account_id),
    )


def _same(session_id: UUID) -> UUID:
    return session_id


async def rotate(db: Database, presented: bytes, successor: bytes, grace_s: int) -> Rotation | None:
    """Exchange a refresh token for its successor; ``None`` where it was never given out."""
    now = exchange.current()
    return await db.one_or_none(
        _ROTATE,
        Rotation,
        presented=presented,
        successor=successor,
        grace_s=grace_s,
        reuse_id=uuid7(),
        revoke_id=uuid7(),
        request_id=now.request_id if now else "",
        traceparent=now.traceparent if now else "",
    )


async def revoke(db: Queries, account_id: UUID, session_id: UUID, reason: str) -> bool:
    """End a session and announce it; false where it was not a live one of the account."""
    event = SessionRevoked(user_id=account_id, session_id=session_id, reason=reason)
    params = announced(event, account_id)
    ended = await db.one_or_none(
        _REVOKE, _same, session_id=session_id, account_id=account_id, **params
    )
    return ended is not None


async def live(db: Database, account_id: UUID) -> list[UUID]:
    """Return the account's live sessions."""
    return await db.all(_LIVE, _same, account_id=account_id)


async def of_token(db: Database, presented: bytes) -> Owner | None:
    """Return whose a refresh token is."""
    return await db.one_or_none(_OF_TOKEN, Owner, presented=presented)


async def listed(db: Database, account_id: UUID, current: str) -> list[Session]:
    """Return the account's live sessions, the one seen last first."""
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
        session_id, user_agent, address, bool(is_current), created_at, last_seen_at, expires_at
    )
