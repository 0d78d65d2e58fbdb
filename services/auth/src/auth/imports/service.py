"""Accounts that come from elsewhere, with their passwords' hashes: all of a file, or none."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from itertools import batched

import msgspec

from auth.imports import repository
from auth.imports.schema import Entry, Fault, NewAccount
from auth.passwords import is_importable
from auth.settings import Settings
from common import faults
from common.database import Database, Queries

_ENTRY = msgspec.json.Decoder(NewAccount)

type Report = Callable[[Fault], None]


class Imported(msgspec.Struct):
    """How many lines became accounts, and how many could not."""

    accounts: int = 0
    faulty: int = 0


class _FaultyError(Exception):
    """Something is wrong with the file, and nothing of it is to be kept."""


async def run(
    db: Database, settings: Settings, lines: Iterable[bytes], report: Report, *, skip_faulty: bool
) -> Imported:
    """Make an account of each line, and report each fault.

    With one fault nothing is kept, unless those lines are to be skipped.
    """
    done = Imported()
    try:
        async with db.transaction() as tx:
            for some in batched(enumerate(lines, 1), settings.import_rows_max, strict=False):
                await _add(tx, settings, some, report, done)
            if not skip_faulty:
                _insist(done)
    except _FaultyError:
        done.accounts = 0
    return done


def _insist(done: Imported) -> None:
    if done.faulty:
        raise _FaultyError


async def _add(
    tx: Queries,
    settings: Settings,
    lines: Iterable[tuple[int, bytes]],
    report: Report,
    done: Imported,
) -> None:
    found = [_read(settings, number, line) for number, line in lines if line.strip()]
    entries = [one for one in found if isinstance(one, Entry)]
    refused = await repository.add(tx, entries)
    wrong = [one for one in found if not isinstance(one, Entry)]
    wrong += await _refusals(tx, refused)
    for fault in [fault for line in wrong for fault in line]:
        report(fault)
    done.accounts += len(entries) - len(refused)
    done.faulty += len(wrong)


async def _refusals(tx: Queries, refused: list[Entry]) -> list[list[Fault]]:
    if not refused:
        return []
    there_is = "There is an account with this {}."
    email, username = there_is.format("e-mail address"), there_is.format("username")
    return [
        [Fault(entry.line, "email", email)] * taken.email
        + [Fault(entry.line, "username", username)] * taken.username
        for entry, taken in zip(refused, await repository.taken(tx, refused), strict=True)
    ]


def _read(settings: Settings, number: int, line: bytes) -> Entry | list[Fault]:
    try:
        account = _ENTRY.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        found = faults.in_body(line, NewAccount)
        return [Fault(number, one["field"], one["message"]) for one in found] or [
            Fault(number, "", str(exc))
        ]
    if not is_importable(account.password_hash, settings):
        return [Fault(number, "passwordHash", "To verify it would cost too much.")]
    if account.created_at is not None and account.created_at > datetime.now(UTC):
        return [Fault(number, "createdAt", "This is in the future.")]
    return Entry(number, account)
