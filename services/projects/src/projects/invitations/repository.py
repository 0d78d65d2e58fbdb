"""The SQL of invitations: statements above, the functions that run them below."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import insert

from common.database import Queries
from common.ids import uuid7
from common.statements import word
from projects.invitations.schema import Invitation, NewInvitation, Offer
from projects.tables import InvitationRow, ProjectRow

_I = InvitationRow
_PROJECT = bindparam("project_id", type_=sa.Uuid)
_HASH = bindparam("token_hash", type_=sa.LargeBinary)
_FOLDED = bindparam("folded", type_=sa.Text)
_LIFETIME = sa.func.make_interval(
    0, 0, 0, 0, 0, 0, bindparam("lifetime_s", type_=sa.BigInteger), type_=sa.Interval
)
_COLUMNS = (
    _I.id,
    _I.email,
    _I.role,
    word("pending"),
    _I.invited_by,
    _I.created_at,
    _I.expires_at,
)
_IS_OPEN = _I.expires_at > sa.func.now()
_LIST = (
    sa.select(*_COLUMNS).where(_I.project_id == _PROJECT, _IS_OPEN).order_by(_I.created_at, _I.id)
)
_OTHERS = sa.select(sa.func.count()).where(
    _I.project_id == _PROJECT, _I.folded != _FOLDED, _IS_OPEN
)
# for so long after its end a token is told that it is too late
_STALE = (
    sa.select(_I.id)
    .where(_I.expires_at < sa.func.now() - _LIFETIME)
    .limit(bindparam("limit", type_=sa.BigInteger))
    .with_for_update(skip_locked=True)
)
_SWEEP = sa.delete(_I).where(_I.id.in_(_STALE)).returning(_I.id)
_NEW = insert(_I).values(
    id=bindparam("id", type_=sa.Uuid),
    project_id=_PROJECT,
    email=bindparam("email", type_=sa.Text),
    folded=_FOLDED,
    role=bindparam("role", type_=sa.Text),
    token_hash=_HASH,
    invited_by=bindparam("user_id", type_=sa.Uuid),
    expires_at=sa.func.now() + _LIFETIME,
)
_PUT = _NEW.on_conflict_do_update(
    index_elements=[_I.project_id, _I.folded],
    set_={
        name: _NEW.excluded[name]
        for name in ("email", "role", "token_hash", "invited_by", "expires_at")
    },
).returning(*_COLUMNS)
_REVOKE = (
    sa.delete(_I)
    .where(_I.project_id == _PROJECT, _I.id == bindparam("id", type_=sa.Uuid))
    .returning(_I.id)
)
_OFFER = (
    sa.select(_I.project_id, _I.email, ~_IS_OPEN)
    .join(ProjectRow, ProjectRow.id == _I.project_id)
    .where(_I.token_hash == _HASH, ProjectRow.deleted_at.is_(None))
)
_HOLD = (
    sa.select(ProjectRow.id)
    .where(ProjectRow.id == _PROJECT, ProjectRow.deleted_at.is_(None))
    .with_for_update(key_share=True)
)
_TAKE = (
    sa.delete(_I)
    .where(_I.project_id == _PROJECT, _I.token_hash == _HASH, _IS_OPEN)
    .returning(_I.role)
)


def _same(row_id: UUID) -> UUID:
    return row_id


async def listed(db: Queries, project_id: UUID) -> list[Invitation]:
    """Return the invitations of a project that somebody can still accept."""
    return await db.all(_LIST, Invitation, project_id=project_id)


async def others(db: Queries, project_id: UUID, folded: str) -> int:
    """Count the project's open invitations to other addresses."""
    return await db.one(_OTHERS, int, project_id=project_id, folded=folded)


async def put(
    tx: Queries,
    project_id: UUID,
    user_id: UUID,
    new: NewInvitation,
    folded: str,
    token_hash: bytes,
    lifetime_s: int,
) -> Invitation:
    """Keep an invitation; it takes the place of an older one to the same address."""
    return await tx.one(
        _PUT,
        Invitation,
        id=uuid7(),
        project_id=project_id,
        email=new.email,
        folded=folded,
        role=new.role,
        token_hash=token_hash,
        user_id=user_id,
        lifetime_s=lifetime_s,
    )


async def revoke(tx: Queries, project_id: UUID, invitation_id: UUID) -> bool:
    """Forget an invitation; false where there is none."""
    gone = await tx.one_or_none(_REVOKE, _same, project_id=project_id, id=invitation_id)
    return gone is not None


async def offer(db: Queries, token_hash: bytes) -> Offer | None:
    """Return what a token offers, unless its project is in the trash."""
    return await db.one_or_none(_OFFER, Offer, token_hash=token_hash)


async def hold(tx: Queries, project_id: UUID) -> bool:
    """Hold a project until the transaction ends; false where it is in the trash."""
    return await tx.one_or_none(_HOLD, _same, project_id=project_id) is not None


async def take(tx: Queries, project_id: UUID, token_hash: bytes) -> str | None:
    """Use a token up, and return the role that it gives; ``None`` where it is good no more."""
    return await tx.one_or_none(_TAKE, str, project_id=project_id, token_hash=token_hash)


async def sweep(db: Queries, lifetime_s: int, limit: int) -> int:
    """Forget some invitations that have long been too late; return how many."""
    return len(await db.all(_SWEEP, _same, lifetime_s=lifetime_s, limit=limit))
