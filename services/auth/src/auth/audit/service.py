"""What happened to accounts: told to their owners, moved into the ledger, verified there."""

import secrets
from uuid import UUID

import msgspec
import structlog

from auth.audit import repository
from auth.audit.schema import AuditEntry
from auth.audit.types import START, Deed, Head, Note, chained, fault
from common import answers
from common.answers import Feed
from common.caller import Caller
from common.contracts.base import CloudEvent
from common.database import Database, Queries
from common.ids import uuid7

log = structlog.get_logger()

_SALT_BYTES = 16


class Verdict(msgspec.Struct, frozen=True):
    """How many entries are as they were, the last of them, and what is wrong after it, if so."""

    entries: int
    head: Head
    fault: str | None = None


async def index(
    db: Database, caller: Caller, action: str | None, cursor: str | None, limit: int
) -> Feed[AuditEntry]:
    """Return what happened to the caller's account, the newest first."""
    before = answers.position(cursor, UUID)
    found = await repository.feed(db, caller.user_id, before, action, limit + 1)
    return answers.fed(found, limit, lambda entry: entry.id)


async def learn[E](tx: Queries, event: CloudEvent[E], deed: Deed) -> None:
    """Note what another service announced."""
    details = msgspec.to_builtins(deed.details)
    for account_id in sorted(deed.accounts):
        note = Note(
            id=uuid7(),
            account_id=account_id,
            actor_id=deed.actor_id,
            action=deed.action,
            address=deed.address,
            user_agent="",
            request_id=event.requestid,
            details=details,
            at=event.time,
        )
        await repository.add(tx, note)


async def seal(db: Database, most: int) -> int:
    """Move notes into the ledger, at most so many; return how many.

    One does at a time, and whoever stops in the middle has moved none.
    """
    if not await repository.is_waiting(db):
        return 0
    async with db.transaction() as tx:
        await repository.lock(tx)
        notes = await repository.take(tx, most)
        if not notes:
            return 0
        entries = []
        before = await repository.head(tx) or START
        for note in notes:
            entries.append(chained(note, secrets.token_bytes(_SALT_BYTES), before))
            before = Head(entries[-1].sequence, entries[-1].hash)
        await repository.append(tx, entries)
    # where logs are kept, they are a second witness
    log.info("audit_sealed", entries=len(notes), sequence=before.sequence, head=before.hash.hex())
    return len(notes)


async def verify(db: Queries, batch: int, first: int = 1, known: bytes | None = None) -> Verdict:
    """Walk the chain from entry ``first`` on; one of its entries must have the hash ``known``."""
    before = START if first <= 1 else await repository.at(db, first - 1)
    if before is None:
        return Verdict(0, START, f"entry {first - 1} is missing")
    entries, is_known = 0, known in {None, before.hash}
    while found := await repository.after(db, before.sequence, batch):
        for entry in found:
            if wrong := fault(entry, before):
                return Verdict(entries, before, f"entry {entry.sequence} {wrong}")
            before = Head(entry.sequence, entry.hash)
            entries, is_known = entries + 1, is_known or entry.hash == known
    return Verdict(entries, before, None if is_known else "no entry has the head that was given")
