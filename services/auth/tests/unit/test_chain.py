"""The ledger's chain: what is hashed, and what is noticed."""

import hashlib
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest

from auth.audit.types import BEGINNING, START, Entry, Head, Note, chained, fault

NOTE = Note(
    id=UUID("0190a000-0000-7000-8000-000000000001"),
    account_id=UUID("0190a000-0000-7000-8000-00000000000a"),
    actor_id=None,
    action="login.failed",
    address="198.51.100.7",
    user_agent='Ünïcode \u2028 \x07 "agent"',
    request_id="request-1",
    details={"b": [1, 2.5, None], "a": "\U0001f511"},
    at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
)
SALT = bytes(range(16))


def chain(length: int) -> list[Entry]:
    """So many entries, each after the other."""
    entries: list[Entry] = []
    before = START
    for _ in range(length):
        entries.append(chained(NOTE, SALT, before))
        before = Head(entries[-1].sequence, entries[-1].hash)
    return entries


def test_what_is_hashed_is_hashed_so_for_ever() -> None:
    personal = (
        '["198.51.100.7","Ünïcode \u2028 \\u0007 \\"agent\\"",{"a":"\U0001f511","b":[1,2.5,null]}]'
    )
    entry = chained(NOTE, SALT, START)
    assert entry.personal == hashlib.sha256(SALT + personal.encode()).digest()
    rest = (
        f'["worldloom.audit.1","{"00" * 32}",1,"0190a000-0000-7000-8000-000000000001",'
        '"0190a000-0000-7000-8000-00000000000a",null,"login.failed",'
        f'"2026-01-02T03:04:05.000000+00:00","request-1","{entry.personal.hex()}"]'
    )
    assert entry.hash == hashlib.sha256(rest.encode()).digest()
    assert entry.hash.hex() == "a9530161e4555abee16287333e8827493fc05a0dae81bfe953b38184c17f1c36"


def test_a_chain_begins_at_one_and_follows() -> None:
    first, second, third = chain(3)
    assert (first.sequence, first.previous) == (1, BEGINNING)
    assert (second.previous, third.previous) == (first.hash, second.hash)
    assert fault(first, START) is None
    assert fault(third, Head(2, second.hash)) is None


CHANGES: dict[str, Any] = {
    "id": UUID("0190a000-0000-7000-8000-000000000002"),
    "account_id": UUID("0190a000-0000-7000-8000-00000000000b"),
    "actor_id": UUID("0190a000-0000-7000-8000-00000000000a"),
    "action": "login.locked",
    "address": "198.51.100.8",
    "user_agent": "",
    "request_id": "request-2",
    "details": {"b": [1, 2.5, None], "a": ""},
    "at": datetime(2026, 1, 2, 3, 4, 5, 1, tzinfo=UTC),
    "sequence": 3,
    "salt": bytes(16),
    "personal": bytes(32),
    "previous": bytes(32),
    "hash": bytes(32),
}


def test_every_member_of_an_entry_counts() -> None:
    assert set(CHANGES) == {field.name for field in msgspec.structs.fields(Entry)}


@pytest.mark.parametrize("member", CHANGES)
def test_a_change_is_noticed(member: str) -> None:
    first, second = chain(2)
    changed = msgspec.structs.replace(second, **{member: CHANGES[member]})
    assert fault(second, Head(1, first.hash)) is None
    assert fault(changed, Head(1, first.hash)) is not None
