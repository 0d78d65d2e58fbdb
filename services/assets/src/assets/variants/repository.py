"""The SQL of variants: statements above, the functions that run them below."""

from uuid import UUID

import asyncpg
import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import JSONB, insert

from assets.errors import CollectedError
from assets.made_tables import VariantRow
from assets.tables import still_held
from assets.variants.types import Made, Source
from common.database import Queries

_V = VariantRow
_PROJECT = bindparam("project_id", type_=sa.Uuid)
_SOURCE = bindparam("source", type_=sa.Text)
_OPTIONS = bindparam("options", type_=sa.Text)
_MADE = (_V.options, _V.sha256, _V.size, _V.mime_type, _V.facts, _V.created_at)
_OF_SOURCE = sa.and_(_V.project_id == _PROJECT, _V.source == _SOURCE)

_FIND = sa.select(*_MADE).where(_OF_SOURCE, _V.options == _OPTIONS)
_ALL = sa.select(*_MADE).where(_OF_SOURCE).order_by(_V.created_at, _V.options)
_COUNT = sa.select(sa.func.count()).where(_OF_SOURCE)
_VALUES = {
    "project_id": _PROJECT,
    "source": _SOURCE,
    "options": _OPTIONS,
    "sha256": bindparam("sha256", type_=sa.Text),
    "size": bindparam("size", type_=sa.BigInteger),
    "mime_type": bindparam("mime_type", type_=sa.Text),
    "metadata": bindparam("metadata", type_=JSONB),
    "created_at": bindparam("created_at", type_=sa.DateTime(timezone=True)),
}
_IS_HELD = still_held(bindparam("generation", type_=sa.Uuid))
_ADD = (
    insert(_V)
    .from_select(list(_VALUES), sa.select(*_VALUES.values()).where(_IS_HELD))
    .on_conflict_do_nothing()
    .returning(_V.sha256)
)


async def find(db: Queries, source: Source, options: str) -> Made | None:
    """Return what was made of the source in that way."""
    return await db.one_or_none(
        _FIND, Made, project_id=source.project_id, source=source.sha256, options=options
    )


async def all_of(db: Queries, source: Source) -> list[Made]:
    """Return everything that was made of the source, the oldest first."""
    return await db.all(_ALL, Made, project_id=source.project_id, source=source.sha256)


async def count(db: Queries, source: Source) -> int:
    """Return how much was made of the source."""
    return await db.one(_COUNT, int, project_id=source.project_id, source=source.sha256)


async def add(db: Queries, source: Source, made: Made, generation: UUID) -> bool:
    """Remember what was made; of two who made the same, the first.

    False where it was made already, or its bytes were collected. Raises ``CollectedError`` where
    the source was.
    """
    given = msgspec.structs.asdict(made) | {"generation": generation}
    project_id, sha256 = source.project_id, source.sha256
    try:
        row = await db.one_or_none(_ADD, str, project_id=project_id, source=sha256, **given)
    except asyncpg.ForeignKeyViolationError as exc:
        raise CollectedError from exc
    return row is not None
