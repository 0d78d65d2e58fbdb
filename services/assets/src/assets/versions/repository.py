"""The SQL of versions: statements above, the functions that run them below."""

from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import JSONB

from assets.errors import CollectedError
from assets.made_tables import preview_wanted
from assets.permissions import WRITERS
from assets.tables import STORED, AssetRow, AssetVersionRow, recorded, still_held
from assets.types import Stored
from assets.versions.types import Fresh, Past
from common.access import AccessRow, permits
from common.answers import Window
from common.contracts.base import Event
from common.database import Database, Queries
from common.outbox import announced, announcing

_A, _V = AssetRow, AssetVersionRow
_USER = bindparam("user_id", type_=sa.Uuid)
_GENERATION = bindparam("generation", type_=sa.Uuid)
_ID = bindparam("asset_id", type_=sa.Uuid)
_PAST = (
    _V.version,
    _V.user_id,
    _V.sha256,
    _V.size,
    _V.mime_type,
    _V.facts,
    _V.origin,
    _V.created_at,
)
_LIST = (
    sa.select(*_PAST, sa.func.count().over())
    .where(_V.asset_id == _ID)
    .order_by(_V.version.desc())
    .limit(bindparam("limit", type_=sa.BigInteger))
    .offset(bindparam("offset", type_=sa.BigInteger))
)
_ONE = sa.select(*_PAST).where(
    _V.asset_id == _ID, _V.version == bindparam("version", type_=sa.BigInteger)
)


def _record(written: sa.CTE) -> sa.CTE:
    return recorded(written, _USER, bindparam("origin", type_=sa.Text))


_APPEND = announcing(
    sa.update(_A)
    .where(
        _A.id == _ID,
        _A.revision == bindparam("seen", type_=sa.BigInteger),
        _A.deleted_at.is_(None),
        AccessRow.resource_id == _A.project_id,
        permits(sa.cast(_USER, sa.Text), *WRITERS),
        _GENERATION.is_(None) | still_held(_GENERATION),
    )
    .values(
        version=_A.version + 1,
        revision=_A.revision + 1,
        sha256=bindparam("sha256", type_=sa.Text),
        size=bindparam("size", type_=sa.BigInteger),
        mime_type=bindparam("mime_type", type_=sa.Text),
        facts=bindparam("facts", type_=JSONB),
        updated_at=sa.func.now(),
    )
    .returning(*STORED),
    _record,
    preview_wanted,
)


class Listed(Past, frozen=True):
    """A version of a page, and how many there are in all."""

    total: int


async def listed(db: Database, asset_id: UUID, wanted: Window) -> list[Listed]:
    """Return one page of an asset's versions, the newest first."""
    return await db.all(_LIST, Listed, asset_id=asset_id, limit=wanted.limit, offset=wanted.offset)


async def one(db: Queries, asset_id: UUID, version: int) -> Past | None:
    """Return a version of an asset."""
    return await db.one_or_none(_ONE, Past, asset_id=asset_id, version=version)


async def append(
    db: Queries, asset: Stored, user_id: UUID, fresh: Fresh, event: Event
) -> Stored | None:
    """Let the asset be something else from now on and announce it.

    ``None`` where it changed meanwhile, or the bytes were collected. Raises ``CollectedError``.
    """
    given: dict[str, Any] = msgspec.structs.asdict(fresh)
    facts = given.pop("metadata")
    try:
        return await db.one_or_none(
            _APPEND,
            Stored,
            asset_id=asset.id,
            seen=asset.revision,
            user_id=user_id,
            project_id=asset.project_id,
            facts=facts,
            **given,
            **announced(event, asset.project_id),
        )
    except asyncpg.ForeignKeyViolationError as exc:
        raise CollectedError from exc
