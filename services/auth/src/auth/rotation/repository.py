"""The SQL of rotation: one statement lets a refresh token be followed by its successor."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import aliased

from auth.accounts.schema import User
from auth.auditing import noted, noting
from auth.tables import USER, AccountRow, RefreshTokenRow, SessionRow
from common import exchange
from common.contracts.auth import SessionRevoked, TokenReused
from common.database import Database
from common.ids import uuid7
from common.outbox import insertion
from common.statements import word

_S = SessionRow
_T = RefreshTokenRow
_A = AccountRow


def _rotate() -> "sa.Select[*tuple[Any, ...]]":
    """Let a refresh token be followed by its successor, or end the session it was stolen from.

    ``fresh`` was not used before; ``repeat`` was used just now, and its successor not yet: the
    reply was lost, or ten tabs ask at once; ``reused`` comes after its successor was used;
    ``foreign`` has another session's page beside it. A token has one successor: who is second gets
    the one that is kept, whatever they would have put there.
    """
    presented = bindparam("presented", type_=sa.LargeBinary)
    child = aliased(_T)
    grace = sa.func.make_interval(0, 0, 0, 0, 0, 0, bindparam("grace_s", type_=sa.BigInteger))
    page_of = bindparam("page_of", type_=sa.Uuid)
    verdict = sa.case(
        (page_of.is_not(None) & (_S.id != page_of), word("foreign")),
        (_S.revoked_at.is_not(None) | (_S.expires_at < sa.func.now()), word("dead")),
        (_A.is_disabled, word("dead")),
        (_T.used_at.is_(None), word("fresh")),
        (child.used_at.is_(None) & (_T.used_at > sa.func.now() - grace), word("repeat")),
        else_=word("reused"),
    )
    found = (
        sa.select(
            _T.hash,
            _T.session_id,
            child.hash.label("child"),
            verdict.label("verdict"),
            *USER,
        )
        .join(_S, _S.id == _T.session_id)
        .join(_A, _A.id == _S.account_id)
        .outerjoin(child, child.parent == _T.hash)
        .where(_T.hash == presented)
        .cte("found")
    )
    f = found.c
    used = (
        sa.update(_T)
        .where(_T.hash == f.hash, f.verdict == word("fresh"))
        .values(used_at=sa.func.coalesce(_T.used_at, sa.func.now()))
        .returning(_T.hash, _T.session_id)
        .cte("used")
    )
    # after the lock on the one before it, so that of ten at once nine find the first one's
    given = insert(_T).from_select(
        ["hash", "session_id", "parent"],
        sa.select(bindparam("successor", type_=sa.LargeBinary), used.c.session_id, used.c.hash),
    )
    next_token = (
        given.on_conflict_do_update(
            # changes nothing, but answers with the row that is there
            index_elements=[_T.parent],
            set_={"parent": given.excluded.parent},
        )
        .returning(_T.hash)
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
        # of two thieves at once, one ends it
        .where(_S.id == f.session_id, _S.revoked_at.is_(None), f.verdict == word("reused"))
        .values(revoked_at=sa.func.now())
        .returning(_S.id, _S.account_id)
        .cte("revoked")
    )
    events = insertion(_reuse_events(revoked))
    audited = noting(account="account_id", sessionId="id")(revoked)
    user = [f[column.name] for column in USER]
    kept = sa.func.coalesce(sa.select(next_token.c.hash).scalar_subquery(), f.child)
    return sa.select(f.verdict, f.session_id, kept, *user).add_cte(
        used, next_token, seen, revoked, events, audited
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


class Rotation(msgspec.Struct, frozen=True):
    """What became of a refresh token, and whose it is."""

    verdict: str
    session_id: UUID
    # the hash of the successor that is kept
    successor: bytes | None
    id: UUID
    email: str
    username: str
    display_name: str
    avatar_url: str | None
    role: str
    email_verified: bool
    created_at: datetime
    updated_at: datetime

    @property
    def user(self) -> User:
        """Whose it is."""
        return msgspec.convert(self, User, from_attributes=True)


async def rotate(
    db: Database, presented: bytes, successor: bytes, grace_s: int, page_of: UUID | None
) -> Rotation | None:
    """Exchange a refresh token for its successor; ``None`` where it was never given out."""
    now = exchange.current()
    return await db.one_or_none(
        _ROTATE,
        Rotation,
        presented=presented,
        successor=successor,
        grace_s=grace_s,
        page_of=page_of,
        reuse_id=uuid7(),
        revoke_id=uuid7(),
        request_id=now.request_id if now else "",
        traceparent=now.traceparent if now else "",
        # who came with it nobody knows
        **noted("token.reused", None, None),
    )
