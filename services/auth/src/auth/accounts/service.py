"""Who has an account, and what it says."""

from msgspec import UNSET

from auth import guessable
from auth.accounts import repository
from auth.accounts.schema import AccountName, Profile, PublicUser, Registration, User
from common.caller import Caller
from common.database import Database, Queries
from common.errors import InvalidError, NotFoundError, UnauthenticatedError
from common.ids import uuid7

_ABSENT = "There is no such account."


async def register(tx: Queries, password_hash: str, new: Registration) -> User:
    """Keep a new account and announce it."""
    display_name = new.display_name or new.username
    return await repository.add(tx, uuid7(), new.email, new.username, display_name, password_hash)


async def admit(
    tx: Queries, username: str, display_name: str, email: str, avatar_url: str | None
) -> User:
    """Keep a new account that has no password: somebody else says who its owner is."""
    return await repository.add(tx, uuid7(), email, username, display_name, None, avatar_url)


def checked_password(password: str, *, email: str = "", username: str = "") -> str:
    """Return a password that this account may choose; raises ``InvalidError``."""
    if "\0" in password:
        raise InvalidError.of("password", "A password has no NUL.")
    try:
        password.encode()
    except UnicodeEncodeError as exc:
        raise InvalidError.of("password", "A password is valid Unicode.") from exc
    if fault := guessable.fault(password, email, username):
        raise InvalidError.of("password", fault)
    return password


async def me(db: Queries, caller: Caller) -> User:
    """Return the caller's own account."""
    user = await repository.by_id(db, caller.user_id)
    if user is None:
        raise UnauthenticatedError("The account is not there any more.")
    return user


async def change(db: Queries, caller: Caller, profile: Profile) -> User:
    """Change what is named of the caller's own account, but its address."""
    if profile == Profile():
        return await me(db, caller)
    avatar = profile.avatar_url
    user = await repository.change(
        db,
        caller.user_id,
        None if profile.username is UNSET else profile.username,
        None if profile.display_name is UNSET else profile.display_name,
        has_avatar=avatar is not UNSET,
        avatar_url=None if avatar is UNSET else avatar,
    )
    if user is None:
        raise UnauthenticatedError("The account is not there any more.")
    return user


async def public(db: Database, username: str) -> PublicUser:
    """Return what everybody may see of an account."""
    user = await repository.public(db, username)
    if user is None:
        raise NotFoundError(_ABSENT)
    return user


async def name(db: Database, login: str) -> AccountName:
    """Return who an e-mail, a username or an id is; for the fleet, not for callers."""
    found = await repository.name(db, login)
    if found is None:
        raise NotFoundError(_ABSENT)
    return found
