"""The SQL of members: statements above, the functions that run them below."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import InstrumentedAttribute, aliased

from common.database import Queries
from projects.members.schema import Member
from projects.tables import AccountRow, MemberRow, PersonRow, ProjectRow

_M = MemberRow
_P = PersonRow
_A = AccountRow


def _now(
    heard: InstrumentedAttribute[str], told: InstrumentedAttribute[str]
) -> "sa.ColumnElement[str]":
    """What was heard of the person since, or else what was told when they came."""
    one = sa.select(heard).where(_P.user_id == _M.user_id).correlate(_M).scalar_subquery()
    return sa.func.coalesce(one, told)


_USERNAME, _NAME = _now(_P.username, _M.username), _now(_P.display_name, _M.display_name)
_COLUMNS = (_M.user_id, _USERNAME, _NAME, _M.role, _M.created_at)
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
# before any project: who comes in while their account is disabled is seen by one of the two
_HOLD_ACCOUNT = sa.select(
    sa.func.pg_advisory_xact_lock(
        sa.func.hashtextextended(
            sa.literal_column("'projects.account.'", sa.Text).concat(sa.cast(_USER, sa.Text)),
            sa.literal_column("0"),
        )
    )
)
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
    .returning(_M.user_id, _M.username, _M.display_name, _M.role, _M.created_at)
)
_PROMOTE = (
    sa.update(_M)
    .where(_M.project_id == _PROJECT, _M.user_id == _USER)
    .values(role=bindparam("new_role", type_=sa.Text))
    .returning(*_COLUMNS)
)
_OTHER = aliased(ProjectRow)
_OWNED = (
    sa.select(sa.func.count())
    .where(_OTHER.owner_id == _USER, _OTHER.id != _PROJECT, _OTHER.deleted_at.is_(None))
    .scalar_subquery()
)
_HAND_OVER = (
    sa.update(ProjectRow)
    .where(ProjectRow.id == _PROJECT, bindparam("count_max", type_=sa.BigInteger) > _OWNED)
    .values(owner_id=_USER, updated_at=sa.func.now())
    .returning(ProjectRow.id)
)
_NAMED = insert(_P).values(
    user_id=_USER,
    username=bindparam("username", type_=sa.Text),
    display_name=bindparam("display_name", type_=sa.Text),
    told_at=bindparam("told_at", type_=sa.DateTime(timezone=True)),
)
_LEARN = _NAMED.on_conflict_do_update(
    index_elements=[_P.user_id],
    set_={name: _NAMED.excluded[name] for name in ("username", "display_name", "told_at")},
    where=_P.told_at < _NAMED.excluded.told_at,
)
_MARKED = insert(_A).values(
    user_id=_USER,
    is_disabled=bindparam("is_disabled", type_=sa.Boolean),
    told_at=bindparam("told_at", type_=sa.DateTime(timezone=True)),
)
_MARK = _MARKED.on_conflict_do_update(
    index_elements=[_A.user_id],
    set_={name: _MARKED.excluded[name] for name in ("is_disabled", "told_at")},
    where=_A.told_at < _MARKED.excluded.told_at,
).returning(_A.user_id)
_FORGET = sa.delete(_P).where(_P.user_id == _USER)
_UNMARK = sa.delete(_A).where(_A.user_id == _USER)
_REMOVE = sa.delete(_M).where(_M.project_id == _PROJECT, _M.user_id == _USER)


async def listed(db: Queries, project_id: UUID, caller_id: UUID) -> list[Member]:
    """Return the members of a project, for one of them; nothing for a stranger."""
    return await db.all(_LIST, Member, project_id=project_id, caller_id=caller_id)


async def one(db: Queries, project_id: UUID, user_id: UUID) -> Member | None:
    """Return one member."""
    return await db.one_or_none(_ONE, Member, project_id=project_id, user_id=user_id)


async def hold_account(tx: Queries, user_id: UUID) -> None:
    """Be the only one who lets somebody in, or hears whether they may be."""
    await tx.run(_HOLD_ACCOUNT, user_id=user_id)


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


async def hand_over(tx: Queries, project_id: UUID, user_id: UUID, count_max: int) -> bool:
    """Let the project count as somebody's; false where they have enough others."""
    found = await tx.one_or_none(
        _HAND_OVER, _same, project_id=project_id, user_id=user_id, count_max=count_max
    )
    return found is not None


async def remove(db: Queries, project_id: UUID, user_id: UUID) -> None:
    """Take a member out."""
    await db.run(_REMOVE, project_id=project_id, user_id=user_id)


async def learn(
    db: Queries, user_id: UUID, username: str, display_name: str, told_at: datetime
) -> None:
    """Keep what somebody is called, unless something newer is known."""
    await db.run(
        _LEARN, user_id=user_id, username=username, display_name=display_name, told_at=told_at
    )


async def mark(db: Queries, user_id: UUID, told_at: datetime, *, is_disabled: bool) -> bool:
    """Keep whether somebody is disabled; false where nothing is newer than what is known."""
    found = await db.one_or_none(
        _MARK, _same, user_id=user_id, is_disabled=is_disabled, told_at=told_at
    )
    return found is not None


async def forget(db: Queries, user_id: UUID) -> None:
    """Keep no name of somebody, and not whether they were disabled."""
    await db.run(_FORGET, user_id=user_id)
    await db.run(_UNMARK, user_id=user_id)
