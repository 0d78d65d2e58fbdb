"""Logging in, staying in, and going."""

import asyncio
from uuid import UUID

import msgspec

from auth.accounts import service as accounts
from auth.accounts.schema import Registration, User
from auth.errors import CsrfError, InvalidCredentialsError
from auth.keys.keyring import Keys
from auth.lockout import service as lockout
from auth.lockout.types import Proven
from auth.mail import service as mail
from auth.mail.schema import Addressee
from auth.mail.types import Postbox
from auth.passwords import Passwords
from auth.rotation import service as rotations
from auth.secrets import Vault, digest, fresh
from auth.sessions import repository
from auth.sessions.schema import Credentials, LogoutScope, Session, Tokens
from auth.sessions.types import device_of
from auth.settings import Settings
from common import exchange
from common.caller import Caller
from common.database import Database, Queries
from common.errors import NotFoundError, UnauthenticatedError
from common.ids import uuid7

_AGENT_MAX = 400
_WRONG = "The login or the password is wrong."


class Device(msgspec.Struct, frozen=True):
    """Where a login comes from, as the gateway and the browser say."""

    address: str
    user_agent: str


class Proof(msgspec.Struct, frozen=True):
    """A refresh token, and the one session that the page beside it speaks for, if it is a page."""

    token: str
    in_body: bool
    page_of: UUID | None = None


class Grant(msgspec.Struct, frozen=True):
    """What a login or a refresh gives, before it is known how it travels."""

    user: User
    access_token: str
    refresh_token: str
    csrf_token: str
    expires_in: int


class Means(msgspec.Struct, frozen=True):
    """What sessions are made with."""

    settings: Settings
    keys: Keys
    vault: Vault
    passwords: Passwords
    post: Postbox


async def register(db: Database, means: Means, new: Registration, device: Device) -> Grant:
    """Make an account and log it in."""
    password = accounts.checked_password(new.password, email=new.email, username=new.username)
    password_hash = await means.passwords.hash(password)
    async with mail.posting(db, means.post) as tx:
        user = await accounts.register(tx, password_hash, new)
        to = Addressee(user.id, user.email, user.username)
        await mail.prove(tx, means.post, "verify", to)
        return await _start(tx, means, user, device)


async def login(db: Database, means: Means, given: Credentials, device: Device) -> Grant:
    """Log somebody in; raises ``InvalidCredentialsError`` and ``LockedOutError``."""
    proven = await _proven(db, means, given, device)
    try:
        return await _start(db, means, proven.user, device, proven)
    except InvalidCredentialsError:
        # the account has become another one meanwhile: as it is now, it may still be theirs
        proven = await _proven(db, means, given, device)
        return await _start(db, means, proven.user, device, proven)


async def _proven(db: Database, means: Means, given: Credentials, device: Device) -> Proven:
    return await lockout.authenticate(
        db, means.settings, means.passwords, given.login, given.password, device.address
    )


async def start(tx: Queries, means: Means, user: User, device: Device) -> Grant:
    """Log in whom somebody else vouches for, beside what else the caller's transaction does."""
    return await _start(tx, means, user, device)


async def _start(
    db: Queries, means: Means, user: User, device: Device, proven: Proven | None = None
) -> Grant:
    """Start a session; raises ``InvalidCredentialsError`` where the account is another one now."""
    session_id, token = uuid7(), fresh()
    agent = device.user_agent[:_AGENT_MAX]
    lifetime_s = means.settings.session_lifetime_s
    if not await repository.start(
        db, session_id, user.id, digest(token), agent, device.address, lifetime_s, proven
    ):
        raise InvalidCredentialsError(_WRONG)
    return await _grant(means, user, session_id, token)


async def _grant(means: Means, user: User, session_id: UUID, token: str) -> Grant:
    access = await means.keys.sign(str(user.id), str(session_id), user.role)
    csrf = means.vault.csrf(session_id)
    return Grant(user, access, token, csrf, means.settings.access_lifetime_s)


async def refresh(db: Database, means: Means, proof: Proof) -> Grant:
    """Exchange a refresh token for the next one; the same for who asks again in time."""
    rotation, successor = await rotations.rotate(
        db, means.settings, means.vault, proof.token, proof.page_of
    )
    return await _grant(means, rotation.user, rotation.session_id, successor)


async def leave(db: Database, proof: Proof, scope: LogoutScope) -> None:
    """End this session, all of them, or all others, with the refresh token of a live one."""
    owner = await repository.of_token(db, digest(proof.token))
    if owner is None:
        raise UnauthenticatedError
    if proof.page_of not in {None, owner.session_id}:
        raise CsrfError("The CSRF token is for another session.")
    await logout(db, owner.account_id, owner.session_id, scope)


async def logout(
    db: Database, account_id: UUID, session_id: UUID | None, scope: LogoutScope
) -> None:
    """End this session, all of them, or all others."""
    if scope == "this":
        if session_id is not None:
            await _end(db, account_id, session_id, "logout")
        return
    spared = session_id if scope == "others" else None
    async with db.transaction() as tx:
        await end_all(tx, account_id, spared, "logout")


async def end_all(
    tx: Queries,
    account_id: UUID,
    spared: UUID | None,
    reason: str,
    actor_id: UUID | None = None,
) -> None:
    """End all sessions of an account but one; its owner does, unless ``actor_id`` is another.

    The answer to the request waits until the gateways refuse their access tokens.
    """
    if await repository.end(tx, account_id, spared, reason, actor_id or account_id):
        exchange.unsettle()


async def _end(db: Queries, account_id: UUID, session_id: UUID, reason: str) -> bool:
    has_ended = await repository.revoke(db, account_id, session_id, reason)
    if has_ended:
        exchange.unsettle()
    return has_ended


async def index(db: Database, caller: Caller) -> list[Session]:
    """Return the caller's live sessions."""
    found = await repository.listed(db, caller.user_id, caller.session_id)
    return await asyncio.to_thread(_named, found)


def _named(sessions: list[Session]) -> list[Session]:
    replace = msgspec.structs.replace
    return [replace(one, device=device_of(one.user_agent)) for one in sessions]


async def remove(db: Database, caller: Caller, session_id: UUID) -> None:
    """End one of the caller's sessions."""
    if not await _end(db, caller.user_id, session_id, "revoked"):
        raise NotFoundError("There is no such session.")


def tokens(grant: Grant, *, in_body: bool) -> Tokens:
    """Say what was granted; the refresh token only where it does not travel as a cookie."""
    return Tokens(
        user=grant.user,
        access_token=grant.access_token,
        token_type="Bearer",
        expires_in=grant.expires_in,
        refresh_token=grant.refresh_token if in_body else None,
        csrf_token=None if in_body else grant.csrf_token,
    )
