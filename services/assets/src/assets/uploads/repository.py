"""The SQL of taking files in: statements above, the functions that run them below."""

from uuid import UUID

import asyncpg
import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import JSONB, insert

from assets.errors import CollectedError
from assets.made_tables import preview_wanted
from assets.permissions import WRITERS
from assets.tables import STORED, AssetRow, recorded, still_held
from assets.types import Stored
from assets.uploads.types import NewAsset
from common.access import AccessRow, permits
from common.contracts.base import Event
from common.database import Queries
from common.outbox import announced, announcing
from common.statements import word

_A = AssetRow
_USER = bindparam("user_id", type_=sa.Uuid)
_PROJECT = bindparam("project_id", type_=sa.Uuid)
_ID = bindparam("id", type_=sa.Uuid)
_MAY_WRITE = sa.and_(AccessRow.resource_id == _PROJECT, permits(sa.cast(_USER, sa.Text), *WRITERS))
_VALUES = {
    "id": _ID,
    "project_id": AccessRow.resource_id,
    "user_id": _USER,
    "name": bindparam("name", type_=sa.Text),
    "name_key": bindparam("name_key", type_=sa.Text),
    "type": bindparam("type", type_=sa.Text),
    "size": bindparam("size", type_=sa.BigInteger),
    "mime_type": bindparam("mime_type", type_=sa.Text),
    "sha256": bindparam("sha256", type_=sa.Text),
    "metadata": bindparam("metadata", type_=JSONB),
}
_IS_HELD = still_held(bindparam("generation", type_=sa.Uuid))


def _record(written: sa.CTE) -> sa.CTE:
    return recorded(written, _USER, word("upload"))


_ADD = announcing(
    insert(_A)
    .from_select(list(_VALUES), sa.select(*_VALUES.values()).where(_MAY_WRITE, _IS_HELD))
    .on_conflict_do_nothing()
    .returning(*STORED),
    _record,
    preview_wanted,
)
_NAMED = sa.select(*STORED).where(
    _A.project_id == _PROJECT,
    _A.name_key == bindparam("name_key", type_=sa.Text),
    _A.deleted_at.is_(None),
)


async def add(db: Queries, new: NewAsset, event: Event) -> Stored | None:
    """Let the asset be seen, and announce it.

    ``None`` where its name is taken, its bytes were collected, or the user may not write to the
    project. Raises ``CollectedError`` where they are being collected.
    """
    given = {name: getattr(new, name) for name in _VALUES}
    try:
        return await db.one_or_none(
            _ADD, Stored, generation=new.generation, **given, **announced(event, new.project_id)
        )
    except asyncpg.ForeignKeyViolationError as exc:
        raise CollectedError from exc


async def named(db: Queries, project_id: UUID, name_key: str) -> Stored | None:
    """Return the asset of that name in the project's library."""
    return await db.one_or_none(_NAMED, Stored, project_id=project_id, name_key=name_key)
