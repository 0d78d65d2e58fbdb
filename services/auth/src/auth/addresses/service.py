"""Whose an e-mail address is: who reads its mail shows what came with it."""

from msgspec import UNSET
from msgspec.structs import replace

from auth.accounts import service as accounts
from auth.accounts.schema import Profile, User
from auth.addresses import repository
from auth.addresses.schema import Resend
from auth.auditing import note
from auth.errors import EmailTakenError, InvalidCredentialsError, MailTokenError, TooManyMailsError
from auth.lockout import service as lockout
from auth.mail import service as mail
from auth.mail.schema import Addressee
from auth.secrets import digest
from auth.sessions.service import Means
from common.caller import Caller
from common.contracts.auth import EmailVerified
from common.database import Database
from common.errors import InvalidError
from common.outbox import announce


async def verify(db: Database, means: Means, token: str) -> User:
    """Confirm the address that a token came to; raises ``MailTokenError``, ``EmailTakenError``."""
    async with mail.posting(db, means.post) as tx:
        found = await repository.confirm(tx, digest(token))
        if found is None:
            raise MailTokenError
        if found.is_change:
            was = {"before": found.before, "after": found.email}
            await note(tx, "email.changed", found.id, found.id, **was)
            old = Addressee(found.id, found.before, found.username, found.was_verified)
            await mail.tell(tx, means.post, "email_changed", old, email=found.email)
        else:
            await note(tx, "email.verified", found.id, found.id)
        await announce(tx, EmailVerified(user_id=found.id), found.id)
    return found.user


async def resend(db: Database, means: Means, caller: Caller, asked: Resend) -> None:
    """Send another mail to an address that is not verified; the same for one that is nobody's."""
    if asked.email is not None:
        await mail.wish(db, means.post, "verify", email=asked.email)
    elif caller.is_known:
        await mail.wish(db, means.post, "verify", account_id=caller.user_id)
    else:
        raise InvalidError.of("email", "Say for which address, or log in.")


async def change(db: Database, means: Means, caller: Caller, profile: Profile) -> User:
    """Change what is named of the caller's own account.

    Another address becomes the account's when it is verified. Raises ``InvalidCredentialsError``
    for a wrong password, ``EmailTakenError``, ``TooManyMailsError``.
    """
    rest = replace(profile, email=UNSET, current_password=UNSET)
    if profile.email is UNSET:
        return await accounts.change(db, caller, rest)
    if profile.current_password is UNSET:
        raise InvalidError.of("currentPassword", "Another address needs the password.")
    proven = await lockout.confirm(
        db,
        means.settings,
        means.passwords,
        caller.user_id,
        profile.current_password,
        caller.address,
    )
    async with mail.posting(db, means.post) as tx:
        if proven is None or not await repository.hold(tx, caller.user_id, proven.kept):
            raise InvalidCredentialsError("The password is wrong.")
        if await repository.is_taken(tx, profile.email, caller.user_id):
            raise EmailTakenError
        user = await accounts.change(tx, caller, rest)
        if profile.email == user.email:
            return user
        to = Addressee(user.id, profile.email, user.username)
        if not await mail.prove(tx, means.post, "change", to):
            raise TooManyMailsError
        await note(tx, "email.change_asked", user.id, user.id, wanted=profile.email)
        old = Addressee(user.id, user.email, user.username, user.email_verified)
        await mail.tell(tx, means.post, "email_asked", old, email=profile.email)
    return user
