"""The auth schema: everything this service stores, on one page. Secrets are kept as hashes."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from common import outbox


class Tables(outbox.Tables):
    """The base of this service's tables, in a schema of its own."""

    __abstract__ = True
    metadata = outbox.schema()


class AccountRow(Tables):
    """Somebody. E-mail and username are unique whatever their case."""

    __tablename__ = "account"
    __table_args__ = (
        sa.Index("uq_account_email", sa.text("lower(email)"), unique=True),
        sa.Index("uq_account_username", sa.text("lower(username)"), unique=True),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str]
    username: Mapped[str]
    display_name: Mapped[str]
    avatar_url: Mapped[str | None]
    role: Mapped[str] = mapped_column(server_default="user")
    # NULL for who comes through another provider alone
    password_hash: Mapped[str | None]
    is_email_verified: Mapped[bool] = mapped_column(server_default=sa.false())
    is_disabled: Mapped[bool] = mapped_column(server_default=sa.false())
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())


# an account as its owner sees it: the members of ``accounts.schema.User``, in their order
USER = (
    AccountRow.id,
    AccountRow.email,
    AccountRow.username,
    AccountRow.display_name,
    AccountRow.avatar_url,
    AccountRow.role,
    AccountRow.is_email_verified,
    AccountRow.created_at,
    AccountRow.updated_at,
)


class SessionRow(Tables):
    """One login on one device: a family of refresh tokens.

    It outlives its account: its access tokens must be refused for as long as they would last.
    """

    __tablename__ = "session"
    __table_args__ = (
        sa.Index(
            "ix_session_revoked_at",
            "revoked_at",
            postgresql_where=sa.text("revoked_at IS NOT NULL"),
        ),
        sa.Index("ix_session_expires_at", "expires_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(index=True)
    user_agent: Mapped[str]
    address: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    last_seen_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class RefreshTokenRow(Tables):
    """A refresh token, as its hash. ``parent`` is the hash of the one that it came from."""

    __tablename__ = "refresh_token"

    hash: Mapped[bytes] = mapped_column(primary_key=True)
    session_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("session.id", ondelete="CASCADE"), index=True
    )
    # a token has one successor
    parent: Mapped[bytes | None] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    used_at: Mapped[datetime | None]


class SigningKeyRow(Tables):
    """A key that signs access tokens; its private half is sealed.

    It is published before it signs, and after another signs, until its last token has expired.
    """

    __tablename__ = "signing_key"

    kid: Mapped[str] = mapped_column(primary_key=True)
    public: Mapped[dict[str, Any]]
    sealed: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    signs_from: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    published_until: Mapped[datetime | None]


class TicketRow(Tables):
    """A ticket for one socket, as its hash: deleted when it is used."""

    __tablename__ = "ticket"

    hash: Mapped[bytes] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(sa.ForeignKey("account.id", ondelete="CASCADE"))
    session_id: Mapped[UUID] = mapped_column(sa.ForeignKey("session.id", ondelete="CASCADE"))
    expires_at: Mapped[datetime] = mapped_column(index=True)


class ApiKeyRow(Tables):
    """A key for machines, as its hash."""

    __tablename__ = "api_key"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("account.id", ondelete="CASCADE"), index=True
    )
    name: Mapped[str]
    hash: Mapped[bytes]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    project_id: Mapped[UUID | None]
    networks: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    last_used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class IdentityRow(Tables):
    """Who an account is at another provider."""

    __tablename__ = "identity"
    __table_args__ = (sa.UniqueConstraint("provider", "subject"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("account.id", ondelete="CASCADE"), index=True
    )
    provider: Mapped[str]
    subject: Mapped[str]
    email: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    last_used_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())


class ProviderRow(Tables):
    """Who else may say who somebody is; our secret there is sealed."""

    __tablename__ = "provider"

    name: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    # of an OpenID provider its issuer; of GitHub the addresses of its site and its API
    urls: Mapped[dict[str, Any]]
    client_id: Mapped[str]
    sealed_secret: Mapped[bytes]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())


class FlowRow(Tables):
    """A login through another provider that has begun: deleted when the browser is back."""

    __tablename__ = "flow"

    state: Mapped[bytes] = mapped_column(primary_key=True)
    provider: Mapped[str]
    # the hash of what the browser that began keeps in a cookie
    browser: Mapped[bytes]
    # the PKCE verifier and the nonce
    sealed: Mapped[bytes]
    redirect_to: Mapped[str | None]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class MailTokenRow(Tables):
    """What a mail's link proves, as its hash: deleted when it is used.

    An account has one for each purpose: a newer one takes the place of the one before it.
    """

    __tablename__ = "mail_token"
    __table_args__ = (sa.UniqueConstraint("account_id", "purpose"),)

    hash: Mapped[bytes] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(sa.ForeignKey("account.id", ondelete="CASCADE"))
    purpose: Mapped[str]
    # good for this address alone
    email: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    expires_at: Mapped[datetime] = mapped_column(index=True)
    # how many there were of this purpose since then
    count: Mapped[int] = mapped_column(server_default=sa.text("1"))
    counted_from: Mapped[datetime] = mapped_column(server_default=sa.func.now())


class MailRow(Tables):
    """A mail that waits to be sent: what it says is sealed, for it holds a token."""

    __tablename__ = "mail"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    sealed: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    attempts: Mapped[int] = mapped_column(server_default=sa.text("0"))
    next_at: Mapped[datetime] = mapped_column(server_default=sa.func.now(), index=True)
    # nobody wants to read it any more
    expires_at: Mapped[datetime]


class RecipientRow(Tables):
    """How many mails an unproven address was sent lately: accounts come and go, it stays."""

    __tablename__ = "recipient"

    # of the address without case; for resets, with their name before it
    hash: Mapped[bytes] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(server_default=sa.text("1"))
    counted_from: Mapped[datetime] = mapped_column(server_default=sa.func.now(), index=True)


class LoginFailureRow(Tables):
    """How often a login failed from an address lately; nobody knows whether the account exists."""

    __tablename__ = "login_failure"
    __table_args__ = (sa.Index("ix_login_failure_address", "address", "last_at"),)

    login: Mapped[bytes] = mapped_column(primary_key=True)
    address: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]
    last_at: Mapped[datetime] = mapped_column(server_default=sa.func.now(), index=True)


class AuditRow(Tables):
    """What happened to an account's security, until the ledger has taken it over."""

    __tablename__ = "audit"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(index=True)
    # NULL where nobody is known: a login that failed
    actor_id: Mapped[UUID | None]
    action: Mapped[str]
    address: Mapped[str]
    user_agent: Mapped[str]
    request_id: Mapped[str]
    # what it was about, and what it was before and after
    details: Mapped[dict[str, Any]]
    at: Mapped[datetime] = mapped_column(server_default=sa.func.now())


class Ledger(DeclarativeBase):
    """The base of what lies in the schema ``auth_audit``, which is not this service's to change.

    Shape and rights are those of ``deploy/postgres/roles.sql``; no migration knows of it.
    """

    metadata = sa.MetaData(schema="auth_audit")
    type_annotation_map = Tables.type_annotation_map


class EntryRow(Ledger):
    """A note that is kept for good, chained to the one before it. Rows are only ever added."""

    __tablename__ = "entry"

    sequence: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[UUID]
    account_id: Mapped[UUID]
    actor_id: Mapped[UUID | None]
    action: Mapped[str]
    address: Mapped[str]
    user_agent: Mapped[str]
    request_id: Mapped[str]
    details: Mapped[dict[str, Any]]
    at: Mapped[datetime]
    # what the hash of address, user agent and details begins with, so that nobody guesses them
    salt: Mapped[bytes]
    personal: Mapped[bytes]
    previous: Mapped[bytes]
    hash: Mapped[bytes]
