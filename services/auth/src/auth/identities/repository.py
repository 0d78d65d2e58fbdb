"""The SQL of identities: statements above, the functions that run them below.

Whoever changes an account here holds its row first, and then its identities.
"""

from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import JSONB

from auth.accounts.schema import User
from auth.auditing import note, noted, noting
from auth.identities.schema import Identity
from auth.identities.types import OvertakenError, Profile, Source
from auth.tables import USER, AccountRow, IdentityRow, MailTokenRow, ProviderRow
from common.contracts.auth import (
    EmailVerified,
    IdentityLinked,
    IdentityUnlinked,
    PasswordChanged,
    UserRoleChanged,
    UserUpdated,
)
from common.contracts.base import Event
from common.database import Database, Queries
from common.ids import uuid7
from common.outbox import announced, announcing
from common.statements import unnested, word

_A = AccountRow
_I = IdentityRow
_STATE = (*USER, _A.is_disabled, _A.password_hash.is_not(None).label("has_password"))
_ACCOUNT = bindparam("account_id", type_=sa.Uuid)
_PROVIDER = bindparam("provider", type_=sa.Text)
_SUBJECT = bindparam("subject", type_=sa.Text)
_EMAIL = bindparam("email", type_=sa.Text)
_KNOWN = (
    sa.select(*_STATE)
    .join(_I, _I.account_id == _A.id)
    .where(_I.provider == _PROVIDER, _I.subject == _SUBJECT)
    .with_for_update(of=_A, key_share=True)
)
_BY_EMAIL = (
    sa.select(*_STATE)
    .where(sa.func.lower(_A.email) == sa.func.lower(_EMAIL))
    .with_for_update(key_share=True)
)
_BY_ID = sa.select(*_STATE).where(_A.id == _ACCOUNT).with_for_update(key_share=True)
_USE = (
    sa.update(_I)
    .where(_I.provider == _PROVIDER, _I.subject == _SUBJECT, _I.account_id == _ACCOUNT)
    .values(last_used_at=sa.func.now(), email=_EMAIL)
    .returning(_I.id)
)
# only as long as the provider is what it was when it was asked
_LINK = announcing(
    sa.insert(_I)
    .from_select(
        ["id", "account_id", "provider", "subject", "email"],
        sa.select(bindparam("id", type_=sa.Uuid), _ACCOUNT, ProviderRow.name, _SUBJECT, _EMAIL)
        .where(ProviderRow.name == _PROVIDER, ProviderRow.urls == bindparam("urls", type_=JSONB))
        .with_for_update(read=True),
    )
    .returning(_I.id),
    noting(),
)
_VERIFY = announcing(
    sa.update(_A)
    .where(_A.id == _ACCOUNT, ~_A.is_email_verified)
    .values(is_email_verified=True, updated_at=sa.func.now())
    .returning(*USER),
    noting(),
)
_TAKE_OVER = announcing(
    sa.update(_A)
    .where(_A.id == _ACCOUNT)
    .values(
        password_hash=sa.null(),
        is_email_verified=True,
        display_name=bindparam("display_name", type_=sa.Text),
        avatar_url=bindparam("avatar_url", type_=sa.Text),
        role=word("user"),
        updated_at=sa.func.now(),
    )
    .returning(*USER),
    noting(),
)
_FORGET_TOKENS = sa.delete(MailTokenRow).where(MailTokenRow.account_id == _ACCOUNT)
_OTHERS = sa.select(_I.id).where(_I.account_id == _ACCOUNT).order_by(_I.id)
_OF_PROVIDER = sa.select(_I.id, _I.account_id).where(_I.provider == _PROVIDER).order_by(_I.id)
_UNLINK = announcing(
    sa.delete(_I)
    .where(_I.id == bindparam("identity_id", type_=sa.Uuid), _I.account_id == _ACCOUNT)
    .returning(_I.id, _I.provider),
    noting(provider="provider"),
    provider="provider",
)
_LIST = (
    sa.select(_I.id, _I.provider, _I.email, _I.created_at, _I.last_used_at)
    .where(_I.account_id == _ACCOUNT)
    .order_by(_I.created_at, _I.id)
)
_WANTED = unnested("wanted", {"names": sa.Text()}, ordinality="place")
_FREE_NAME = (
    sa.select(_WANTED.c.names)
    .where(
        ~sa.exists(
            sa.select(_A.id).where(sa.func.lower(_A.username) == sa.func.lower(_WANTED.c.names))
        )
    )
    .order_by(_WANTED.c.place)
    .limit(1)
)


class Account(msgspec.Struct, frozen=True):
    """An account, held until the transaction ends."""

    id: UUID
    email: str
    username: str
    display_name: str
    avatar_url: str | None
    role: str
    email_verified: bool
    created_at: datetime
    updated_at: datetime
    is_disabled: bool
    has_password: bool

    @property
    def user(self) -> User:
        """The account, as its owner sees it."""
        return msgspec.convert(self, User, from_attributes=True)


async def known(tx: Queries, provider: str, subject: str) -> Account | None:
    """Return the account of whom a provider knows by this number, and hold it."""
    return await tx.one_or_none(_KNOWN, Account, provider=provider, subject=subject)


async def by_email(tx: Queries, email: str) -> Account | None:
    """Return the account that has an address, and hold it."""
    return await tx.one_or_none(_BY_EMAIL, Account, email=email)


async def by_id(tx: Queries, account_id: UUID) -> Account | None:
    """Return an account, and hold it."""
    return await tx.one_or_none(_BY_ID, Account, account_id=account_id)


async def use(tx: Queries, account_id: UUID, provider: str, given: Profile) -> None:
    """Remember that an identity was used; raises ``OvertakenError`` where it is not there."""
    used = await tx.one_or_none(
        _USE,
        _same,
        account_id=account_id,
        provider=provider,
        subject=given.subject,
        email=given.email,
    )
    if used is None:
        raise OvertakenError


async def link(tx: Queries, account_id: UUID, source: Source, given: Profile) -> bool:
    """Keep an identity and announce it; false where the provider is not what it was.

    Raises ``OvertakenError`` where somebody has it.
    """
    identity_id = uuid7()
    event = IdentityLinked(user_id=account_id, provider=source.name)
    details = {"identityId": identity_id, "provider": source.name}
    try:
        linked = await tx.one_or_none(
            _LINK,
            _same,
            id=identity_id,
            account_id=account_id,
            provider=source.name,
            urls=source.urls,
            subject=given.subject,
            email=given.email,
            **announced(event, account_id),
            **noted("identity.linked", account_id, account_id, **details),
        )
    except asyncpg.UniqueViolationError as exc:
        raise OvertakenError from exc
    return linked is not None


async def verify(tx: Queries, account_id: UUID) -> User | None:
    """Know an account's address for its owner's; ``None`` where it was known."""
    return await tx.one_or_none(
        _VERIFY,
        User,
        account_id=account_id,
        **announced(EmailVerified(user_id=account_id), account_id),
        **noted("email.verified", account_id, account_id),
    )


async def take_over(
    tx: Queries, before: Account, display_name: str, avatar_url: str | None
) -> User:
    """Give an account to whom its address belongs: no password, nobody else's names or rights."""
    account_id = before.id
    events: list[Event] = [
        EmailVerified(user_id=account_id),
        UserUpdated(user_id=account_id, username=before.username, display_name=display_name),
    ]
    if before.has_password:
        events.append(PasswordChanged(user_id=account_id, reason="removed"))
    if before.role != "user":
        events.append(UserRoleChanged(user_id=account_id, actor_id=account_id, role="user"))
    pairs = [(event, account_id) for event in events]
    user = await tx.one(
        _TAKE_OVER,
        User,
        account_id=account_id,
        display_name=display_name,
        avatar_url=avatar_url,
        **announced(*pairs[0], *pairs[1:]),
        **noted("email.verified", account_id, account_id),
    )
    if before.has_password:
        await note(tx, "password.removed", account_id, account_id)
    if before.role != "user":
        roles = {"before": before.role, "after": "user"}
        await note(tx, "role.changed", account_id, account_id, **roles)
    await tx.run(_FORGET_TOKENS, account_id=account_id)
    return user


async def of_account(tx: Queries, account_id: UUID) -> list[UUID]:
    """Return the account's identities."""
    return await tx.all(_OTHERS, _same, account_id=account_id)


async def of_provider(tx: Queries, provider: str) -> list[tuple[UUID, UUID]]:
    """Return a provider's identities, and whose they are."""
    return await tx.all(_OF_PROVIDER, _pair, provider=provider)


def _pair(identity_id: UUID, account_id: UUID) -> tuple[UUID, UUID]:
    return identity_id, account_id


async def unlink(
    tx: Queries, account_id: UUID, identity_id: UUID, actor_id: UUID | None
) -> str | None:
    """Forget an identity and announce it; returns its provider, if it was one of the account."""
    event = IdentityUnlinked(user_id=account_id, provider="")
    return await tx.one_or_none(
        _UNLINK,
        _second,
        account_id=account_id,
        identity_id=identity_id,
        **announced(event, account_id),
        **noted("identity.unlinked", account_id, actor_id, identityId=identity_id),
    )


def _second(_: UUID, provider: str) -> str:
    return provider


async def listed(db: Database, account_id: UUID) -> list[Identity]:
    """Return the account's identities, the oldest first."""
    return await db.all(_LIST, Identity, account_id=account_id)


async def free_name(tx: Queries, names: list[str]) -> str | None:
    """Return the first of these names that no account has."""
    return await tx.one_or_none(_FREE_NAME, _text, names=names)


def _text(text: str) -> str:
    return text


def _same(identity_id: UUID) -> UUID:
    return identity_id
