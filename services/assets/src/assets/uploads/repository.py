"""The SQL of taking files in: statements above, the functions that run them below."""

from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import JSONB, insert

from assets.made_tables import preview_wanted
from assets.permissions import WRITERS
from assets.tables import STORED, AssetRow
from assets.types import Stored
from assets.uploads.types import NewAsset
from common.access import AccessRow, permits
from common.contracts.base import Event
from common.database import Queries
from common.outbox import announced, announcing

_A = AssetRow
_USER = bindparam("user_id", type_=sa.Uuid)
_PROJECT = bindparam("project_id", type_=sa.Uuid)
_ID = bindparam("id", type_=sa.Uuid)
_MAY_WRITE = sa.and_(AccessRow.resource_id == _PROJECT, permits(sa.cast(_USER, sa.Text), *WRITERS))


_ADD = announcing(
    insert(_A)
    .from_select(
        [field.name for field in msgspec.structs.fields(NewAsset)],
        sa.select(
            _ID,
            AccessRow.resource_id,
            _USER,
            bindparam("name", type_=sa.Text),
            bindparam("name_key", type_=sa.Text),
            bindparam("type", type_=sa.Text),
            bindparam("size", type_=sa.BigInteger),
            bindparam("mime_type", type_=sa.Text),
            bindparam("sha256", type_=sa.Text),
            bindparam("metadata", type_=JSONB),
        ).where(_MAY_WRITE),
    )
    .on_conflict_do_nothing()
    .returning(*STORED),
    preview_wanted,
)
_NAMED = sa.select(*STORED).where(
    _A.project_id == _PROJECT, _A.name_key == bindparam("name_key", type_=sa.Text)
)


async def add(db: Queries, new: NewAsset, event: Event) -> Stored | None:
    """Let the asset be seen, and announce it.

    ``None`` where its name is taken, or the user may not write to the project.
    """
    return await db.one_or_none(
        _ADD, Stored, **msgspec.structs.asdict(new), **announced(event, new.project_id)
    )


async def named(db: Queries, project_id: UUID, name_key: str) -> Stored | None:
    """Return the project's asset of that name."""
    return await db.one_or_none(_NAMED, Stored, project_id=project_id, name_key=name_key)
