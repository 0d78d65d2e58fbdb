"""The auth schema: everything this service stores, on one page. Secrets are kept as hashes."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

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
    password_hash: Mapped[str]
    is_email_verified: Mapped[bool] = mapped_column(server_default=sa.false())
    is_disabled: Mapped[bool] = mapped_column(server_default=sa.false())
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())


class SessionRow(Tables):
    """One login on one device: a family of refresh tokens."""

    __tablename__ = "session"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("account.id", ondelete="CASCADE"), index=True
    )
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
    parent: Mapped[bytes | None] = mapped_column(index=True)
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    used_at: Mapped[datetime | None]


class SigningKeyRow(Tables):
    """A key that signs access tokens; its private half is sealed."""

    __tablename__ = "signing_key"

    kid: Mapped[str] = mapped_column(primary_key=True)
    public: Mapped[dict[str, Any]]
    sealed: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())


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
