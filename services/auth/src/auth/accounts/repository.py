"""The SQL of accounts: statements above, the functions that run them below."""

from typing import Any
from uuid import UUID

import asyncpg
import sqlalchemy as sa
from sqlalchemy import bindparam

from auth.accounts.schema import AccountName, PublicUser, User
from auth.auditing import noted, noting
from auth.errors import EmailTakenError, UsernameTakenError
from auth.tables import USER, AccountRow
from common.contracts.auth import UserRegistered, UserUpdated
from common.database import Database, Queries
from common.outbox import announced, announcing

_A = AccountRow
_LOGIN = bindparam("login", type_=sa.Text)
_HAS_LOGIN = sa.or_(
    sa.func.lower(_A.email) == sa.func.lower(_LOGIN),
    sa.func.lower(_A.username) == sa.func.lower(_LOGIN),
)
_BY_ID = sa.select(*USER).where(_A.id == bindparam("id", type_=sa.Uuid), ~_A.is_disabled)
_PUBLIC = sa.select(_A.id, _A.username, _A.display_name, _A.avatar_url, _A.created_at).where(
    sa.func.lower(_A.username) == sa.func.lower(bindparam("username", type_=sa.Text)),
    ~_A.is_disabled,
)
_NAME = sa.select(_A.id, _A.username, _A.display_name).where(
    sa.or_(_HAS_LOGIN, sa.cast(_A.id, sa.Text) == _LOGIN), ~_A.is_disabled
)
_ADD = announcing(
    sa.insert(_A)
    .values(
        id=bindparam("id", type_=sa.Uuid),
        email=bindparam("email", type_=sa.Text),
        username=bindparam("username", type_=sa.Text),
        display_name=bindparam("display_name", type_=sa.Text),
        avatar_url=bindparam("avatar_url", type_=sa.Text),
        password_hash=bindparam("password_hash", type_=sa.Text),
    )
    .returning(*USER),
    noting(),
)
# held, so that the name it had is the one that is replaced, whoever else changes it at once
_HELD = (
    sa.select(_A.id, _A.username.label("before"))
    .where(_A.id == bindparam("account_id", type_=sa.Uuid), ~_A.is_disabled)
    .with_for_update(key_share=True)
    .cte("held")
)
_CHANGE = announcing(
    sa.update(_A)
    .where(_A.id == _HELD.c.id)
    .values(
        username=sa.func.coalesce(bindparam("new_username", type_=sa.Text), _A.username),
        display_name=sa.func.coalesce(bindparam("new_name", type_=sa.Text), _A.display_name),
        avatar_url=sa.case(
            (bindparam("has_avatar", type_=sa.Boolean), bindparam("new_avatar", type_=sa.Text)),
            else_=_A.avatar_url,
        ),
        updated_at=sa.func.now(),
    )
    .returning(*USER, _HELD.c.before),
    noting(differ=("before", "username"), before="before", after="username"),
    username="username",
    displayName="display_name",
)


async def by_id(db: Queries, account_id: UUID) -> User | None:
    """Return an account that is not disabled."""
    return await db.one_or_none(_BY_ID, User, id=account_id)


async def public(db: Database, username: str) -> PublicUser | None:
    """Return what everybody may see of an account."""
    return await db.one_or_none(_PUBLIC, PublicUser, username=username)


async def name(db: Database, login: str) -> AccountName | None:
    """Return who an e-mail, a username or an id is."""
    return await db.one_or_none(_NAME, AccountName, login=login)


async def add(
    tx: Queries,
    account_id: UUID,
    email: str,
    username: str,
    display_name: str,
    password_hash: str | None,
    avatar_url: str | None = None,
) -> User:
    """Keep a new account and announce it; raises ``EmailTakenError``, ``UsernameTakenError``."""
    event = UserRegistered(user_id=account_id, username=username, display_name=display_name)
    after = {"username": username, "email": email}
    try:
        return await tx.one(
            _ADD,
            User,
            id=account_id,
            email=email,
            username=username,
            display_name=display_name,
            avatar_url=avatar_url,
            password_hash=password_hash,
            **announced(event, account_id),
            **noted("account.registered", account_id, account_id, after=after),
        )
    except asyncpg.UniqueViolationError as exc:
        raise _taken(exc) from exc


async def change(
    db: Queries,
    account_id: UUID,
    username: str | None,
    display_name: str | None,
    *,
    has_avatar: bool,
    avatar_url: str | None,
) -> User | None:
    """Change an account and announce it; NULL stays as it is. Another username is noted."""
    event = UserUpdated(user_id=account_id, username="", display_name="")
    try:
        return await db.one_or_none(
            _CHANGE,
            _changed,
            account_id=account_id,
            new_username=username,
            new_name=display_name,
            has_avatar=has_avatar,
            new_avatar=avatar_url,
            **announced(event, account_id),
            **noted("username.changed", account_id, account_id),
        )
    except asyncpg.UniqueViolationError as exc:
        raise _taken(exc) from exc


def _changed(*columns: Any) -> User:  # noqa: ANN401 - the columns of an account, and its former name
    return User(*columns[:-1])


def _taken(exc: asyncpg.UniqueViolationError) -> EmailTakenError | UsernameTakenError:
    if exc.constraint_name == "uq_account_email":
        return EmailTakenError()
    return UsernameTakenError()
