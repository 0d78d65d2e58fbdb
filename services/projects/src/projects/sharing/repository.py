"""The SQL of share links: statements above, the functions that run them below."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import bindparam

from common.database import Queries
from common.ids import uuid7
from common.statements import encoded, word
from projects.shapes import project_info
from projects.sharing.schema import Reader, ShareLink
from projects.tables import MemberRow, ProjectRow, ShareLinkRow

_L = ShareLinkRow
_PROJECT = bindparam("project_id", type_=sa.Uuid)
_HASH = bindparam("token_hash", type_=sa.LargeBinary)
_COLUMNS = (_L.id, _L.created_by, _L.created_at, _L.expires_at)
_IS_GOOD = _L.expires_at.is_(None) | (_L.expires_at > sa.func.now())
_LIST = (
    sa.select(*_COLUMNS).where(_L.project_id == _PROJECT, _IS_GOOD).order_by(_L.created_at, _L.id)
)
_COUNT = sa.select(sa.func.count()).where(_L.project_id == _PROJECT, _IS_GOOD)
_STALE = (
    sa.select(_L.id)
    .where(_L.expires_at <= sa.func.now())
    .limit(bindparam("limit", type_=sa.BigInteger))
    .with_for_update(skip_locked=True)
)
_SWEEP = sa.delete(_L).where(_L.id.in_(_STALE)).returning(_L.id)
_ADD = (
    sa.insert(_L)
    .values(
        id=bindparam("id", type_=sa.Uuid),
        project_id=_PROJECT,
        token_hash=_HASH,
        created_by=bindparam("user_id", type_=sa.Uuid),
        expires_at=bindparam("expires_at", type_=sa.DateTime(timezone=True)),
    )
    .returning(*_COLUMNS)
)
_REVOKE = (
    sa.delete(_L)
    .where(_L.project_id == _PROJECT, _L.id == bindparam("id", type_=sa.Uuid))
    .returning(_L.id)
)
_IS_OPEN = sa.and_(_L.token_hash == _HASH, _IS_GOOD, ProjectRow.deleted_at.is_(None))
_SHOW = (
    sa.select(encoded(project_info(word("viewer"))))
    .join(_L, _L.project_id == ProjectRow.id)
    .where(_IS_OPEN)
)
# whoever made the project may have left it, but somebody owns it
_READER = (
    sa.select(_L.project_id, MemberRow.user_id)
    .join(ProjectRow, ProjectRow.id == _L.project_id)
    .join(MemberRow, MemberRow.project_id == _L.project_id)
    .where(_IS_OPEN, MemberRow.role == word("owner"))
    .limit(1)
)


def _same(row_id: UUID) -> UUID:
    return row_id


async def listed(db: Queries, project_id: UUID) -> list[ShareLink]:
    """Return the links of a project that are good."""
    return await db.all(_LIST, ShareLink, project_id=project_id)


async def count(db: Queries, project_id: UUID) -> int:
    """Return how many links of a project are good."""
    return await db.one(_COUNT, int, project_id=project_id)


async def add(
    tx: Queries, project_id: UUID, user_id: UUID, token_hash: bytes, expires_at: datetime | None
) -> ShareLink:
    """Keep a link."""
    return await tx.one(
        _ADD,
        ShareLink,
        id=uuid7(),
        project_id=project_id,
        token_hash=token_hash,
        user_id=user_id,
        expires_at=expires_at,
    )


async def revoke(tx: Queries, project_id: UUID, link_id: UUID) -> bool:
    """Forget a link; false where there is none."""
    gone = await tx.one_or_none(_REVOKE, _same, project_id=project_id, id=link_id)
    return gone is not None


async def sweep(db: Queries, limit: int) -> int:
    """Forget some links that are good no more; return how many."""
    return len(await db.all(_SWEEP, _same, limit=limit))


async def show(db: Queries, token_hash: bytes) -> bytes | None:
    """Return the project that a link is for, as JSON, as a viewer sees it."""
    return await db.one_or_none(_SHOW, bytes, token_hash=token_hash)


async def reader(db: Queries, token_hash: bytes) -> Reader | None:
    """Return which project a link is for, and whose eyes it lends."""
    return await db.one_or_none(_READER, Reader, token_hash=token_hash)
