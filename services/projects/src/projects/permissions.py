"""Roles, and the predicates that say who may see or change a row."""

from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import bindparam

from projects.tables import AccountRow, FileRow, MemberRow, ProjectRow

type Role = Literal["owner", "editor", "commenter", "viewer"]

ROLES: tuple[Role, ...] = ("owner", "editor", "commenter", "viewer")
WRITERS: tuple[Role, ...] = ("owner", "editor")
OWNERS: tuple[Role, ...] = ("owner",)


def role_of(user_id: "sa.ColumnElement[Any]") -> "sa.ScalarSelect[str]":
    """The user's role in the row's project; NULL for a stranger."""
    return (
        sa.select(MemberRow.role)
        .where(MemberRow.project_id == ProjectRow.id, MemberRow.user_id == user_id)
        .correlate(ProjectRow)
        .scalar_subquery()
    )


def membership(user_id: "sa.ColumnElement[Any]") -> "sa.ColumnElement[bool]":
    """Join ``MemberRow`` (outer) to a project for one user."""
    return sa.and_(MemberRow.project_id == ProjectRow.id, MemberRow.user_id == user_id)


def is_disabled() -> "sa.ColumnElement[bool]":
    """The member's account is disabled."""
    mine = sa.and_(AccountRow.user_id == MemberRow.user_id, AccountRow.is_disabled)
    return sa.select(AccountRow.user_id).where(mine).correlate(MemberRow).exists()


def is_visible() -> "sa.ColumnElement[bool]":
    """The project is not in the trash, and is public or (joined ``membership``) the user's."""
    seen = MemberRow.role.is_not(None) | ProjectRow.is_public
    return sa.and_(ProjectRow.deleted_at.is_(None), seen)


def live(prefix: "sa.ColumnElement[str]") -> "sa.ColumnElement[bool]":
    """Files of the project that are there now, below ``prefix``."""
    return sa.and_(
        FileRow.project_id == ProjectRow.id,
        FileRow.hash.is_not(None),
        sa.func.starts_with(FileRow.path, prefix),
    )


def visible[*Ts](statement: "sa.Select[*Ts]") -> "sa.Select[*Ts]":
    """The statement's one row, for who may see the project."""
    return (
        statement.select_from(ProjectRow)
        .outerjoin(MemberRow, membership(bindparam("user_id", type_=sa.Uuid)))
        .where(ProjectRow.id == bindparam("project_id", type_=sa.Uuid), is_visible())
    )
