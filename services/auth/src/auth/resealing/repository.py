"""The SQL of resealing: every column that holds something sealed, whichever feature's it is."""

from collections.abc import Mapping
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.dml import ReturningUpdate

from auth.tables import FlowRow, MailRow, ProviderRow, SigningKeyRow
from common.database import Database

type Key = Any

_PLACES: Mapping[str, tuple[InstrumentedAttribute[Any], InstrumentedAttribute[bytes]]] = {
    "signing_key": (SigningKeyRow.kid, SigningKeyRow.sealed),
    "provider": (ProviderRow.name, ProviderRow.sealed_secret),
    "flow": (FlowRow.state, FlowRow.sealed),
    "mail": (MailRow.id, MailRow.sealed),
}
TABLES = tuple(_PLACES)


class Sealed(msgspec.Struct, frozen=True):
    """What is sealed in one row."""

    key: Key
    sealed: bytes


def _page(key: "InstrumentedAttribute[Any]", sealed: "InstrumentedAttribute[bytes]") -> Any:  # noqa: ANN401 - a key may be of any type
    after = bindparam("after", type_=key.type)
    return (
        sa.select(key, sealed)
        .where(after.is_(None) | (key > after))
        .order_by(key)
        .limit(bindparam("rows_max", type_=sa.BigInteger))
    )


def _reseal(
    key: "InstrumentedAttribute[Any]", sealed: "InstrumentedAttribute[bytes]"
) -> "ReturningUpdate[Any]":
    return (
        sa.update(key.class_)
        .where(
            key == bindparam("key", type_=key.type),
            sealed == bindparam("before", type_=sa.LargeBinary),
        )
        .values({sealed: bindparam("anew", type_=sa.LargeBinary)})
        .returning(sa.literal(1))
    )


_PAGES = {table: _page(*columns) for table, columns in _PLACES.items()}
_RESEALS = {table: _reseal(*columns) for table, columns in _PLACES.items()}


async def page(db: Database, table: str, after: Key, rows_max: int) -> list[Sealed]:
    """Return what is sealed in the rows that follow ``after``; ``None`` is before all."""
    return await db.all(_PAGES[table], Sealed, after=after, rows_max=rows_max)


async def reseal(db: Database, table: str, row: Sealed, anew: bytes) -> bool:
    """Put the same in its place, sealed anew; false where it became something else meanwhile."""
    done = await db.one_or_none(_RESEALS[table], int, key=row.key, before=row.sealed, anew=anew)
    return done is not None
