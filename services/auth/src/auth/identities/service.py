"""Whose account it is that somebody enters through a provider, and which ways in one has."""

from uuid import UUID

from auth.accounts import service as accounts
from auth.accounts.schema import User
from auth.api_keys import service as api_keys
from auth.auditing import OPERATOR
from auth.errors import (
    EmailTakenError,
    OAuthEmailMissingError,
    OAuthFailedError,
    UsernameTakenError,
)
from auth.identities import repository
from auth.identities.repository import Account
from auth.identities.schema import Identity
from auth.identities.types import OvertakenError, Profile, Source, is_same_address, usernames
from auth.mail import service as mail
from auth.mail.schema import Addressee
from auth.sessions import service as sessions
from auth.sessions.service import Device, Grant, Means
from common.caller import Caller
from common.database import Database, Queries
from common.errors import (
    ConflictError,
    ForbiddenError,
    NotFoundError,
    UnauthenticatedError,
    UnavailableError,
)

# of two browsers at once, or one and a registration, the second finds what the first has done
_ATTEMPTS = 4


async def enter(
    db: Database, means: Means, source: Source, given: Profile, device: Device
) -> Grant:
    """Log in whom a provider vouches for, to the account that is theirs: all of it, or nothing."""
    for _ in range(_ATTEMPTS):
        try:
            async with mail.posting(db, means.post) as tx:
                user = await _account(tx, means, source, given)
                return await sessions.start(tx, means, user, device)
        except OvertakenError:
            continue
    raise UnavailableError


async def _account(tx: Queries, means: Means, source: Source, given: Profile) -> User:
    known = await repository.known(tx, source.name, given.subject)
    if known is not None:
        return await _entered(tx, known, source, given)
    if given.email is None:
        raise OAuthEmailMissingError("The provider does not tell your e-mail address.")
    found = await repository.by_email(tx, given.email)
    if found is None:
        user = await _created(tx, given, given.email)
    else:
        user = await _joined(tx, found, given, given.email)
    if not await repository.link(tx, user.id, source, given):
        raise OAuthFailedError("The provider has become another one.", {"step": "provider"})
    if found is not None:
        await mail.tell(tx, means.post, "identity_linked", _addressee(user), provider=source.name)
    elif not user.email_verified:
        await mail.prove(tx, means.post, "verify", _addressee(user))
    return user


def _addressee(user: User) -> Addressee:
    return Addressee(user.id, user.email, user.username, user.email_verified)


async def _entered(tx: Queries, known: Account, source: Source, given: Profile) -> User:
    user = _enabled(known)
    await repository.use(tx, user.id, source.name, given)
    is_proven = given.is_email_verified and is_same_address(user.email, given.email or "")
    if is_proven and not user.email_verified:
        return await repository.verify(tx, user.id) or user
    return user


async def _created(tx: Queries, given: Profile, email: str) -> User:
    username = await repository.free_name(tx, usernames(given))
    if username is None:
        raise OvertakenError
    name = given.name or username
    try:
        user = await accounts.admit(tx, username, name, email, given.picture)
    except (EmailTakenError, UsernameTakenError) as exc:
        raise OvertakenError from exc
    if given.is_email_verified:
        return await repository.verify(tx, user.id) or user
    return user


async def _joined(tx: Queries, found: Account, given: Profile, email: str) -> User:
    """Whose an account is, is decided by whose its address is: known for sure on both sides."""
    user = found.user
    if not given.is_email_verified or not is_same_address(user.email, email):
        raise EmailTakenError
    _enabled(found)
    if user.email_verified:
        return user
    # somebody has registered with this address who may not be its owner: nothing of theirs stays
    await sessions.end_all(tx, user.id, None, "taken_over")
    await api_keys.end_all(tx, user.id)
    await end_all(tx, user.id)
    return await repository.take_over(tx, found, given.name or user.username, given.picture)


def _enabled(account: Account) -> User:
    if account.is_disabled:
        raise ForbiddenError("The account is disabled.")
    return account.user


async def index(db: Database, caller: Caller) -> list[Identity]:
    """Return who the caller is elsewhere."""
    return await repository.listed(db, caller.user_id)


async def remove(db: Database, means: Means, caller: Caller, identity_id: UUID) -> None:
    """Let one of the caller's identities be no way in any more; the last way in stays."""
    async with mail.posting(db, means.post) as tx:
        held = await repository.by_id(tx, caller.user_id)
        if held is None:
            raise UnauthenticatedError("The account is not there any more.")
        ways = await repository.of_account(tx, caller.user_id)
        if identity_id not in ways:
            raise NotFoundError("There is no such identity.")
        if len(ways) == 1 and not held.has_password:
            raise ConflictError(
                "This is the only way in: set a password first, or log in through another provider."
            )
        provider = await repository.unlink(tx, caller.user_id, identity_id, caller.user_id)
        to = _addressee(held.user)
        await mail.tell(tx, means.post, "identity_unlinked", to, provider=provider or "")


async def end_all(tx: Queries, account_id: UUID) -> None:
    """Let no identity be a way into an account any more."""
    for identity_id in await repository.of_account(tx, account_id):
        await repository.unlink(tx, account_id, identity_id, account_id)


async def drop(tx: Queries, provider: str) -> int:
    """Forget everybody whom a provider knows, as the operator wants it; returns how many."""
    pairs = await repository.of_provider(tx, provider)
    for identity_id, account_id in pairs:
        await repository.unlink(tx, account_id, identity_id, OPERATOR)
    return len(pairs)
