"""Mails are put in by the transaction that causes them, and sent by whoever delivers them later."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import UUID

import msgspec

from auth.mail import repository
from auth.mail.schema import Addressee, Waiting
from auth.mail.types import (
    INVITATION,
    WISH,
    Letter,
    Notice,
    Postbox,
    Purpose,
    Source,
    Wish,
    sealed_as,
)
from auth.secrets import digest, fresh
from common import exchange
from common.database import Database, Queries, Transaction
from common.ids import uuid7


@asynccontextmanager
async def posting(db: Database, post: Postbox) -> AsyncGenerator[Transaction]:
    """Give a transaction whose mails are delivered as soon as it is committed."""
    async with db.transaction() as tx:
        yield tx
    post.filled.set()


async def tell(tx: Queries, post: Postbox, notice: Notice, to: Addressee, **facts: str) -> None:
    """Let a mail say what happened to an account."""
    mail_id = uuid7()
    letter = Letter(to.email, to.username, _source(), facts=facts, is_proven=to.is_proven)
    sealed = _sealed(post, mail_id, letter)
    await repository.put(tx, mail_id, notice, sealed, post.settings.notice_lifetime_s)


async def prove(
    tx: Queries,
    post: Postbox,
    purpose: Purpose,
    to: Addressee,
    source: Source | None = None,
) -> bool:
    """Let a mail bring a token to an address; who can show it reads that address's mail.

    It takes the place of the account's older one of this purpose. False, and no mail, where there
    were enough of them within the hour.
    """
    mail_id, token = uuid7(), fresh()
    letter = Letter(to.email, to.username, source or _source(), token, is_proven=to.is_proven)
    return await repository.prove(
        tx,
        mail_id,
        purpose,
        _sealed(post, mail_id, letter),
        token_hash=digest(token),
        account_id=to.id,
        email=to.email,
        lifetime_s=post.lifetime_s(purpose),
        count_max=post.settings.mails_per_hour_max,
    )


async def wish(
    db: Database,
    post: Postbox,
    purpose: Purpose,
    *,
    email: str = "",
    account_id: UUID | None = None,
) -> None:
    """Ask for a token by mail, for an address that may be nobody's."""
    mail_id = uuid7()
    asked = Wish(_source(), email, str(account_id or ""))
    sealed = _sealed(post, mail_id, asked)
    await repository.put(db, mail_id, f"{WISH}{purpose}", sealed, post.lifetime_s(purpose))
    post.filled.set()


async def invite(
    db: Database, post: Postbox, email: str, token: str, lifetime_s: int, **facts: str
) -> bool:
    """Let a mail bring an invitation to an address; false, and no mail, where it got enough.

    Invitations are counted apart: who is invited everywhere can still verify their address. Whose
    it is does not matter, because it is strangers who invite.
    """
    mail_id = uuid7()
    said = facts | {"lifetime_s": str(lifetime_s)}
    sealed = _sealed(post, mail_id, Letter(email, "", _source(), token, said))
    async with posting(db, post) as tx:
        is_welcome = await _count(tx, post, f"{INVITATION} {email.casefold()}")
        if is_welcome:
            await repository.put(tx, mail_id, INVITATION, sealed, lifetime_s)
    return is_welcome


async def fulfil(db: Database, post: Postbox, waiting: Waiting, purpose: Purpose) -> None:
    """Put in the mail that was asked for, if there is an account that it is for."""
    asked = msgspec.json.decode(post.vault.unseal(waiting.sealed, sealed_as(waiting.id)), type=Wish)
    async with posting(db, post) as tx:
        found = await repository.wanted(tx, purpose, asked.email, asked.account_id)
        if found is not None:
            await prove(tx, post, purpose, found, asked.source)
        await repository.remove(tx, waiting.id)


def opened(post: Postbox, waiting: Waiting) -> Letter:
    """Return what a mail says; raises ``SealError``."""
    plain = post.vault.unseal(waiting.sealed, sealed_as(waiting.id))
    return msgspec.json.decode(plain, type=Letter)


async def is_welcome(db: Database, post: Postbox, kind: str, letter: Letter) -> bool:
    """Count a mail to an address that nobody has proven; false where it got enough.

    So nobody floods a stranger's address by naming it in one account after another, whatever the
    mails say. What goes to an address that is known to be the account's owner's is never withheld
    for what others did. An invitation was counted when it was put in.
    """
    if letter.is_proven or kind == INVITATION:
        return True
    address = letter.to.casefold()
    # whose address it is still gets a reset when others have used up the rest: no address has a
    # space, so the two are counted apart
    counted = f"reset {address}" if kind == "reset" else address
    return await _count(db, post, counted)


async def _count(db: Queries, post: Postbox, counted: str) -> bool:
    return await repository.count(db, digest(counted), post.settings.mails_to_unproven_max)


async def claim(db: Database, post: Postbox, count_max: int) -> list[Waiting]:
    """Take mails that are due. Whoever takes one and dies leaves it to another, after a while."""
    return await repository.claim(db, count_max, 2 * post.settings.mail_delivery_s_max)


async def postpone(db: Database, post: Postbox, waiting: Waiting) -> None:
    """Try again later, and each time later still."""
    settings = post.settings
    doubled = settings.mail_retry_s * 2.0 ** min(waiting.attempts - 1, 30)
    await repository.postpone(db, waiting.id, min(doubled, settings.mail_retry_s_max))


async def remove(db: Database, waiting: Waiting) -> None:
    """Forget a mail that was sent, or that nobody will get."""
    await repository.remove(db, waiting.id)


def _sealed(post: Postbox, mail_id: UUID, content: Letter | Wish) -> bytes:
    return post.vault.seal(msgspec.json.encode(content), sealed_as(mail_id))


def _source() -> Source:
    now = exchange.current()
    if now is None:
        return Source()
    address = (now.headers or {}).get(b"x-envoy-external-address", b"").decode("latin-1")
    return Source(now.request_id, address)
