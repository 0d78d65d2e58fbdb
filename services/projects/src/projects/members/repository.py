"""The SQL of members: statements above, the functions that run them below."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased

from common.database import Queries
from projects.members.schema import Member
from projects.tables import MemberRow, ProjectRow

_M = MemberRow
_COLUMNS = (_M.user_id, _M.username, _M.display_name, _M.role, _M.created_at)
_PROJECT = bindparam("project_id", type_=sa.Uuid)
_USER = bindparam("user_id", type_=sa.Uuid)
_OWN = aliased(_M)
_LIST = (
    sa.select(*_COLUMNS)
    .join(ProjectRow, ProjectRow.id == _M.project_id)
    .join(
        _OWN,
        sa.and_(
            _OWN.project_id == _M.project_id, _OWN.user_id == bindparam("caller_id", type_=sa.Uuid)
        ),
    )
    .where(_M.project_id == _PROJECT, ProjectRow.deleted_at.is_(None))
    .order_by(_M.created_at, _M.user_id)
)
_ONE = sa.select(*_COLUMNS).where(_M.project_id == _PROJECT, _M.user_id == _USER)
# in one order, so that two who hold many do not wait for one another for ever
_HOLD_ALL = (
    sa.select(ProjectRow.id)
    .join(_M, _M.project_id == ProjectRow.id)
    .where(_M.user_id == _USER)
    .order_by(ProjectRow.id)
    .with_for_update(of=ProjectRow, key_share=True)
)
_COUNTS = sa.select(sa.func.count(), sa.func.count().filter(_M.role == "owner")).where(
    _M.project_id == _PROJECT
)
_ADD = (
    insert(_M)
    .values(
        project_id=_PROJECT,
        user_id=_USER,
        role=bindparam("role", type_=sa.Text),
        username=bindparam("username", type_=sa.Text),
        display_name=bindparam("display_name", type_=sa.Text),
    )
    .on_conflict_do_nothing()
    .returning(*_COLUMNS)
)
_PROMOTE = (
    sa.update(_M)
    .where(_M.project_id == _PROJECT, _M.user_id == _USER)
    .values(role=bindparam("new_role", type_=sa.Text))
    .returning(*_COLUMNS)
)
_REMOVE = sa.delete(_M).where(_M.project_id == _PROJECT, _M.user_id == _USER)


async def listed(db: Queries, project_id: UUID, caller_id: UUID) -> list[Member]:
    """Return the members of a project, for one of them; nothing for a stranger."""
    return await db.all(_LIST, Member, project_id=project_id, caller_id=caller_id)


async def one(db: Queries, project_id: UUID, user_id: UUID) -> Member | None:
    """Return one member."""
    return await db.one_or_none(_ONE, Member, project_id=project_id, user_id=user_id)


async def hold_all(tx: Queries, user_id: UUID) -> list[UUID]:
    """Hold every project that somebody is a member of, in the trash or not."""
    return await tx.all(_HOLD_ALL, _same, user_id=user_id)


def _same(project_id: UUID) -> UUID:
    return project_id


async def counts(db: Queries, project_id: UUID) -> tuple[int, int]:
    """Return how many members and how many owners a project has."""
    return await db.one(_COUNTS, _pair, project_id=project_id)


def _pair(members: int, owners: int) -> tuple[int, int]:
    return members, owners


async def add(
    db: Queries, project_id: UUID, user_id: UUID, role: str, username: str, display_name: str
) -> Member | None:
    """Let somebody in; ``None`` where they are in already."""
    return await db.one_or_none(
        _ADD,
        Member,
        project_id=project_id,
        user_id=user_id,
        role=role,
        username=username,
        display_name=display_name,
    )


async def promote(db: Queries, project_id: UUID, user_id: UUID, role: str) -> Member:
    """Give a member another role."""
    return await db.one(_PROMOTE, Member, project_id=project_id, user_id=user_id, new_role=role)


async def remove(db: Queries, project_id: UUID, user_id: UUID) -> None:
    """Take a member out."""
    await db.run(_REMOVE, project_id=project_id, user_id=user_id)
