"""Another password: for who forgot it, and for who knows it."""

from uuid import UUID

from auth.accounts import service as accounts
from auth.accounts.schema import User
from auth.api_keys import service as keys
from auth.auditing import note
from auth.errors import InvalidCredentialsError, MailTokenError
from auth.identities import service as identities
from auth.lockout import service as lockout
from auth.mail import service as mail
from auth.mail.schema import Addressee
from auth.mail.types import Notice
from auth.recovery import repository
from auth.recovery.schema import Change, Reset
from auth.secrets import digest
from auth.sessions import service as sessions
from auth.sessions.service import Means
from common.caller import Caller
from common.contracts.auth import EmailVerified, PasswordChanged
from common.database import Database, Queries
from common.outbox import announce


async def forgot(db: Database, means: Means, email: str) -> None:
    """Have a token sent to an address, if it is an account's; the same work if it is nobody's."""
    await mail.wish(db, means.post, "reset", email=email)


async def reset(db: Database, means: Means, given: Reset) -> User:
    """Set the password of whose token it is, and end every session of theirs.

    Who shows the token reads the address's mail, so it is verified. API keys and identities stay,
    unless the address never was: who made them may be somebody else. Raises ``MailTokenError``.
    """
    token_hash = digest(given.token)
    owner = await repository.owner(db, token_hash)
    if owner is None:
        raise MailTokenError
    password = accounts.checked_password(given.password, email=owner.email, username=owner.username)
    password_hash = await means.passwords.hash(password)
    async with mail.posting(db, means.post) as tx:
        found = await repository.reset(tx, token_hash, password_hash)
        if found is None:
            raise MailTokenError
        await _settle(tx, means, found.user, "password_reset", keeps_ways=found.was_verified)
        if not found.was_verified:
            await note(tx, "email.verified", found.id, found.id)
            await announce(tx, EmailVerified(user_id=found.id), found.id)
    return found.user


async def change(db: Database, means: Means, caller: Caller, given: Change) -> None:
    """Set the caller's password, and end all of their other sessions.

    Raises ``InvalidCredentialsError`` where the current one is wrong.
    """
    proven = await lockout.confirm(
        db,
        means.settings,
        means.passwords,
        caller.user_id,
        given.current_password,
        caller.address,
    )
    if proven is None:
        raise InvalidCredentialsError("The password is wrong.")
    user = proven.user
    password = accounts.checked_password(given.password, email=user.email, username=user.username)
    password_hash = await means.passwords.hash(password)
    async with mail.posting(db, means.post) as tx:
        if not await repository.change(tx, user.id, proven.kept, password_hash):
            raise InvalidCredentialsError("The password is another one by now.")
        here = UUID(caller.session_id) if caller.session_id else None
        await _settle(tx, means, user, "password_changed", spared=here)


async def _settle(
    tx: Queries,
    means: Means,
    user: User,
    notice: Notice,
    *,
    spared: UUID | None = None,
    keeps_ways: bool = True,
) -> None:
    """What goes with another password, whoever set it."""
    reason = notice.removeprefix("password_")
    await repository.void(tx, user.id)
    await lockout.forgive(tx, user.id)
    await sessions.end_all(tx, user.id, spared, notice)
    if not keeps_ways:
        await keys.end_all(tx, user.id)
        await identities.end_all(tx, user.id)
    await note(tx, f"password.{reason}", user.id, user.id)
    await announce(tx, PasswordChanged(user_id=user.id, reason=reason), user.id)
    to = Addressee(user.id, user.email, user.username, user.email_verified)
    await mail.tell(tx, means.post, notice, to, ways="kept" if keeps_ways else "gone")
