"""Who may try a password, whether it is right, and for how long nobody may try any more."""

import asyncio
import time
from uuid import UUID

from auth.errors import InvalidCredentialsError, LockedOutError
from auth.lockout import repository
from auth.lockout.repository import Attempt
from auth.lockout.types import Proven, Tried, known, place_of, typed
from auth.passwords import Passwords, Place
from auth.settings import Settings
from common.database import Database, Queries

_WRONG = "The login or the password is wrong."


async def authenticate(
    db: Database, settings: Settings, passwords: Passwords, login: str, password: str, address: str
) -> Proven:
    """Return whose login and password these are, for the statement that starts the session.

    Raises ``InvalidCredentialsError``, and ``LockedOutError`` after too many failures, whether
    there is such an account or not: nothing is said sooner of one than of the other.
    """
    place = place_of(address)
    async with passwords.place() as room:
        began = time.monotonic()
        # no text of PostgreSQL's has a NUL
        login_ = "" if "\0" in login else login
        attempt = await repository.attempt(db, settings, login_, typed(login), place)
        proven = await _proven(db, settings, room, attempt, password, place)
    if proven is None:
        # what a hash of another kind takes longer, and what is noted of an account, is not seen
        await asyncio.sleep(began + settings.login_failed_s_min - time.monotonic())
        raise InvalidCredentialsError(_WRONG)
    return proven


async def confirm(
    db: Database,
    settings: Settings,
    passwords: Passwords,
    account_id: UUID,
    password: str,
    address: str,
) -> Proven | None:
    """Return the proof that this is the account's password; ``None`` where it is not.

    A wrong one counts as a failed login. Raises ``LockedOutError`` after too many.
    """
    place = place_of(address)
    async with passwords.place() as room:
        attempt = await repository.attempt_of(db, settings, account_id, known(account_id), place)
        return await _proven(db, settings, room, attempt, password, place)


async def forgive(tx: Queries, account_id: UUID) -> None:
    """Forget the failures of an account whose password is another one now."""
    await repository.forget(tx, known(account_id))


async def _proven(
    db: Database, settings: Settings, room: Place, attempt: Attempt, password: str, place: str
) -> Proven | None:
    # all of it with a place among the workers: there are never more guesses under way that do not
    # know of each other's failure than there are workers
    _refuse(settings, attempt, place)
    kept = None if attempt.is_disabled else attempt.password_hash
    tried = Tried(attempt.login, place)
    if not await room.verify(kept, password) or kept is None:
        await repository.fail(db, settings, tried, attempt.id)
        return None
    renewed = await room.hash(password) if room.is_outdated(kept) else None
    return Proven(attempt.user, tried, kept, renewed)


def _refuse(settings: Settings, attempt: Attempt, place: str) -> None:
    """Raise ``LockedOutError`` where a rule forbids the attempt."""
    rules = [
        (attempt.here_s, settings.login_failures_max),
        (attempt.spread_s, settings.login_failures_spread_max),
    ]
    # whoever guesses from everywhere does not keep the owner out who is at home
    if place not in {place_of(home) for home in attempt.homes or ()}:
        rules.append((attempt.everywhere_s, settings.login_failures_everywhere_max))
    waits = [(left_s, most) for left_s, most in rules if left_s is not None]
    if waits:
        left_s, most = max(waits)
        raise LockedOutError(max(left_s, 1), most)
