"""An entry of the ledger, and how each is chained to the one before it."""

import hashlib
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

# names the encoding: another one would have another name
_KIND = "worldloom.audit.1"
# what the first entry has for the one before it
BEGINNING = bytes(32)


class Note(msgspec.Struct, frozen=True):
    """What happened to an account's security, as it was noted."""

    id: UUID
    account_id: UUID
    actor_id: UUID | None
    action: str
    address: str
    user_agent: str
    request_id: str
    details: dict[str, Any]
    at: datetime


class Deed(msgspec.Struct, frozen=True):
    """What somebody did elsewhere in the fleet, and whose accounts it is noted for."""

    action: str
    actor_id: UUID
    address: str
    accounts: set[UUID]
    details: dict[str, Any]


class Entry(Note, frozen=True):
    """A note that the ledger has: ``hash`` is over all of it and over ``previous``.

    Address, user agent and details count with their own hash, ``personal``, which ``salt`` keeps
    from being guessed: without those four the chain could still be verified.
    """

    sequence: int
    salt: bytes
    personal: bytes
    previous: bytes
    hash: bytes


class Head(msgspec.Struct, frozen=True):
    """The last entry that was looked at, as far as the next one depends on it."""

    sequence: int
    hash: bytes


START = Head(0, BEGINNING)


def chained(note: Note, salt: bytes, before: Head) -> Entry:
    """Make the entry that follows ``before``."""
    sequence, personal = before.sequence + 1, personal_hash(note, salt)
    return Entry(
        **msgspec.structs.asdict(note),
        sequence=sequence,
        salt=salt,
        personal=personal,
        previous=before.hash,
        hash=entry_hash(note, sequence, personal, before.hash),
    )


def fault(entry: Entry, before: Head) -> str | None:
    """Say what is wrong with an entry, given the one before it."""
    if entry.sequence != before.sequence + 1:
        return f"follows entry {before.sequence}: what was between them is missing"
    if entry.previous != before.hash:
        return f"does not follow entry {before.sequence} as it is"
    if entry.personal != personal_hash(entry, entry.salt):
        return "has another address, user agent or details than it had"
    if entry.hash != entry_hash(entry, entry.sequence, entry.personal, entry.previous):
        return "is not what it was"
    return None


def personal_hash(note: Note, salt: bytes) -> bytes:
    """SHA-256 over the salt and, as a JSON array, what could tell something of a person."""
    told = [note.address, note.user_agent, note.details]
    return hashlib.sha256(salt + msgspec.json.encode(told, order="sorted")).digest()


def entry_hash(note: Note, sequence: int, personal: bytes, previous: bytes) -> bytes:
    """SHA-256 over, as a JSON array, the rest of an entry and the hash of the one before it."""
    told = [
        _KIND,
        previous.hex(),
        sequence,
        note.id,
        note.account_id,
        note.actor_id,
        note.action,
        note.at.astimezone(UTC).isoformat(timespec="microseconds"),
        note.request_id,
        personal.hex(),
    ]
    return hashlib.sha256(msgspec.json.encode(told)).digest()
