"""Everything sealed is sealed anew, so that no key but the newest is needed for it."""

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import msgspec

from auth.auditing import note_deed
from auth.mail.types import sealed_as as mail_name
from auth.oauth.types import sealed_as as flow_name
from auth.providers.types import sealed_as as provider_name
from auth.resealing import repository
from auth.resealing.repository import TABLES, Sealed
from auth.secrets import SealError, Vault
from common.database import Database

# what each is sealed under: its feature says
_NAMES: Mapping[str, Callable[[Any], str]] = {
    "signing_key": str,
    "provider": provider_name,
    "flow": flow_name,
    "mail": mail_name,
}


class Resealed(msgspec.Struct):
    """What became of a table's rows."""

    table: str
    resealed: int = 0
    current: int = 0
    # what no key of the ring opens
    lost: list[str] = []


async def reseal(db: Database, vault: Vault, rows_max: int) -> list[Resealed]:
    """Seal with the newest key whatever it does not open; what was done stays done."""
    found = [await _table(db, vault, table, rows_max) for table in TABLES]
    await note_deed(db, "secrets.resealed", **{one.table: one.resealed for one in found})
    return found


async def _table(db: Database, vault: Vault, table: str, rows_max: int) -> Resealed:
    found = Resealed(table)
    async for row in _rows(db, table, rows_max):
        name = _NAMES[table](row.key)
        if vault.is_current(row.sealed, name):
            found.current += 1
            continue
        try:
            anew = vault.seal(vault.unseal(row.sealed, name), name)
        except SealError:
            found.lost.append(row.key.hex() if isinstance(row.key, bytes) else str(row.key))
            continue
        found.resealed += await repository.reseal(db, table, row, anew)
    return found


async def _rows(db: Database, table: str, rows_max: int) -> AsyncIterator[Sealed]:
    after = None
    while page := await repository.page(db, table, after, rows_max):
        for row in page:
            yield row
        after = page[-1].key
