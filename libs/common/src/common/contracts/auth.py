"""What the auth service announces."""

from typing import ClassVar
from uuid import UUID

from common.contracts.base import Event


class UserRegistered(Event, frozen=True, kw_only=True):
    """There is a new account."""

    subject: ClassVar[str] = "auth.user.registered.v1"

    user_id: UUID
    username: str
    display_name: str


class UserUpdated(Event, frozen=True, kw_only=True):
    """An account is called something else."""

    subject: ClassVar[str] = "auth.user.updated.v1"

    user_id: UUID
    username: str
    display_name: str


class SessionStarted(Event, frozen=True, kw_only=True):
    """Somebody logged in."""

    subject: ClassVar[str] = "auth.session.started.v1"

    user_id: UUID
    session_id: UUID
    address: str


class SessionRevoked(Event, frozen=True, kw_only=True):
    """A session is over: its sockets close, its tokens are refused as soon as they are checked."""

    subject: ClassVar[str] = "auth.session.revoked.v1"

    user_id: UUID
    session_id: UUID
    reason: str


class TokenReused(Event, frozen=True, kw_only=True):
    """A refresh token came back after its successor was used; its session was revoked."""

    subject: ClassVar[str] = "auth.token.reused.v1"

    user_id: UUID
    session_id: UUID


class ApiKeyCreated(Event, frozen=True, kw_only=True):
    """There is a new key for machines."""

    subject: ClassVar[str] = "auth.api_key.created.v1"

    user_id: UUID
    key_id: UUID
    name: str


class ApiKeyRevoked(Event, frozen=True, kw_only=True):
    """A key for machines is not good any more."""

    subject: ClassVar[str] = "auth.api_key.revoked.v1"

    user_id: UUID
    key_id: UUID


class UserDeleted(Event, frozen=True, kw_only=True):
    """An account is gone, and with it what was its own alone."""

    subject: ClassVar[str] = "auth.user.deleted.v1"

    user_id: UUID


class UserDisabled(Event, frozen=True, kw_only=True):
    """An account may do nothing until it is enabled again; its sessions ended."""

    subject: ClassVar[str] = "auth.user.disabled.v1"

    user_id: UUID
    actor_id: UUID


class UserEnabled(Event, frozen=True, kw_only=True):
    """An account that was disabled may log in again."""

    subject: ClassVar[str] = "auth.user.enabled.v1"

    user_id: UUID
    actor_id: UUID


class UserRoleChanged(Event, frozen=True, kw_only=True):
    """An account is another kind of account: ``user`` or ``admin``."""

    subject: ClassVar[str] = "auth.user.role_changed.v1"

    user_id: UUID
    actor_id: UUID
    role: str


class EmailVerified(Event, frozen=True, kw_only=True):
    """An account's e-mail address is known to be its owner's."""

    subject: ClassVar[str] = "auth.user.email_verified.v1"

    user_id: UUID


class PasswordChanged(Event, frozen=True, kw_only=True):
    """An account's password is another one (``changed``, ``reset``), or none (``removed``)."""

    subject: ClassVar[str] = "auth.password.changed.v1"

    user_id: UUID
    reason: str


class IdentityLinked(Event, frozen=True, kw_only=True):
    """An account may also be entered through another provider."""

    subject: ClassVar[str] = "auth.identity.linked.v1"

    user_id: UUID
    provider: str


class IdentityUnlinked(Event, frozen=True, kw_only=True):
    """An account may not be entered through another provider any more."""

    subject: ClassVar[str] = "auth.identity.unlinked.v1"

    user_id: UUID
    provider: str
